// SPDX-License-Identifier: GPL-2.0-only
// Input: the bytes of a fuzzer, as numbers and choices. Whatever they are, they mean
// something; past their end everything is 0.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace lkl::fuzz {

class Input {
public:
    explicit Input(std::span<const uint8_t> bytes) : bytes_(bytes) {}

    bool empty() const { return bytes_.empty(); }

    uint8_t byte()
    {
        if (bytes_.empty())
            return 0;
        const uint8_t value = bytes_.front();
        bytes_ = bytes_.subspan(1);
        return value;
    }
    // Little endian.
    uint16_t word()
    {
        const uint8_t low = byte();
        return static_cast<uint16_t>(low | byte() << 8);
    }
    uint32_t dword()
    {
        const uint32_t low = word();
        return low | static_cast<uint32_t>(word()) << 16;
    }

    // One of several, of which there is at least one and at most 256.
    template <typename Choices>
    const auto& choice(const Choices& choices)
    {
        return *(std::begin(choices) + byte() % std::size(choices));
    }

    // At most `size` bytes.
    std::span<const uint8_t> take(size_t size)
    {
        const auto taken = bytes_.first(std::min(size, bytes_.size()));
        bytes_ = bytes_.subspan(taken.size());
        return taken;
    }

private:
    std::span<const uint8_t> bytes_;
};

}  // namespace lkl::fuzz
