// SPDX-License-Identifier: GPL-2.0-only
#include "hints.hpp"

#include <algorithm>
#include <array>
#include <cstring>

// libFuzzer's own mutations; AFL++ has none of that name, and does not ask for ours.
extern "C" [[gnu::weak]] size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

namespace lkl::fuzz {

namespace {

constexpr size_t most_inputs = 1 << 16;
constexpr unsigned most_tries = 3;  // of a constant at a place of the code
constexpr size_t most_places = 4;   // of a value in an input
constexpr std::array<size_t, 4> widths{1, 2, 4, 8};

bool fits(uint64_t value, size_t width)
{
    return width == sizeof(value) || value >> (8 * width) == 0;
}

std::array<uint8_t, 8> little_endian(uint64_t value)
{
    std::array<uint8_t, 8> bytes;
    std::memcpy(bytes.data(), &value, sizeof(value));
    return bytes;
}

}  // namespace

Hints& Hints::instance()
{
    // Never destroyed: a fuzzer ends a process from anywhere.
    static Hints& hints = *new Hints;
    return hints;
}

bool Hints::wanted()
{
    return &LLVMFuzzerMutate != nullptr;
}

void Hints::add(std::span<const uint8_t> input, const std::vector<Comparison>& comparisons)
{
    for (const Comparison& comparison : comparisons) {
        const uint64_t key = comparison.place * 0x9e3779b97f4a7c15 ^ comparison.constant;
        const auto width = std::find_if(widths.begin(), widths.end(), [&](size_t bytes) {
            return fits(comparison.value, bytes) && fits(comparison.constant, bytes);
        });
        const size_t before = inputs_.size();
        if (tries_[key] < most_tries)
            add(input, comparison.value, comparison.constant, *width);
        if (inputs_.size() != before)
            ++tries_[key];
    }
    while (inputs_.size() > most_inputs)
        inputs_.pop_front();
}

void Hints::add(std::span<const uint8_t> input, uint64_t value, uint64_t constant, size_t width)
{
    auto old_bytes = little_endian(value);
    auto new_bytes = little_endian(constant);
    // Then big endian, as networks and some file systems have it.
    for (const bool reversed : {false, true}) {
        if (reversed && width == 1)
            return;
        if (reversed) {
            std::reverse(old_bytes.data(), old_bytes.data() + width);
            std::reverse(new_bytes.data(), new_bytes.data() + width);
        }
        auto from = input.begin();
        for (size_t places = 0; places < most_places; ++places) {
            const auto at =
                std::search(from, input.end(), old_bytes.data(), old_bytes.data() + width);
            if (at == input.end())
                break;
            std::vector<uint8_t> changed(input.begin(), input.end());
            std::copy_n(new_bytes.data(), width, changed.begin() + (at - input.begin()));
            inputs_.push_back(std::move(changed));
            from = at + 1;
        }
    }
}

size_t Hints::take(uint8_t* data, size_t most)
{
    while (!inputs_.empty()) {
        newest_ = !newest_;
        const std::vector<uint8_t> input = std::move(newest_ ? inputs_.back() : inputs_.front());
        if (newest_)
            inputs_.pop_back();
        else
            inputs_.pop_front();
        if (input.size() > most)
            continue;
        std::copy(input.begin(), input.end(), data);
        return input.size();
    }
    return 0;
}

}  // namespace lkl::fuzz

// What libFuzzer calls for each mutation: every other one is a hint, while there are any.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed)
{
    if (seed % 2 == 0) {
        if (const size_t taken = lkl::fuzz::Hints::instance().take(data, most))
            return taken;
    }
    return lkl::fuzz::Hints::wanted() ? LLVMFuzzerMutate(data, size, most) : size;
}
