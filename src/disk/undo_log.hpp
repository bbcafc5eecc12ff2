// SPDX-License-Identifier: GPL-2.0-only
// UndoLog: what blocks of a memory held before they were changed.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <new>
#include <span>
#include <vector>

namespace lkl::disk {

// For one memory, whose size stays. Not thread safe. Room for blocks is kept from one
// undo() to the next, since new memory costs the host more than the copy.
class UndoLog {
public:
    static constexpr size_t block_size = 4096;

    // False: no room.
    bool start(std::span<const std::byte> memory) noexcept
    {
        try {
            noted_.assign((memory.size() + block_size - 1) / block_size, false);
        } catch (const std::bad_alloc&) {
            return false;
        }
        count_ = 0;
        active_ = true;
        return true;
    }
    void stop() noexcept
    {
        noted_ = {};
        blocks_ = {};
        count_ = 0;
        active_ = false;
    }

    // [offset, offset + length) of the memory is about to change. False: no room to note
    // what is there.
    bool before_change(std::span<const std::byte> memory, uint64_t offset, uint64_t length) noexcept
    {
        if (!active_ || length == 0)
            return true;
        for (uint64_t i = offset / block_size; i <= (offset + length - 1) / block_size; ++i) {
            if (!noted_[i] && !note(memory, i))
                return false;
        }
        return true;
    }

    // Puts everything back, and goes on.
    void undo(std::span<std::byte> memory) noexcept
    {
        for (size_t i = 0; i < count_; ++i) {
            const Block& block = blocks_[i];
            const auto to = part(memory, block.index);
            std::memcpy(to.data(), block.bytes.data(), to.size());
            noted_[block.index] = false;
        }
        count_ = 0;
    }

private:
    struct Block {
        uint64_t index;
        std::array<std::byte, block_size> bytes;
    };

    bool note(std::span<const std::byte> memory, uint64_t index) noexcept
    {
        try {
            if (count_ == blocks_.size())
                blocks_.emplace_back();
        } catch (const std::bad_alloc&) {
            return false;
        }
        Block& block = blocks_[count_++];
        const auto from = part(memory, index);
        block.index = index;
        std::memcpy(block.bytes.data(), from.data(), from.size());
        noted_[index] = true;
        return true;
    }

    // The last block may be a part of one.
    template <typename T>
    static std::span<T> part(std::span<T> memory, uint64_t index)
    {
        const auto rest = memory.subspan(index * block_size);
        return rest.first(std::min(rest.size(), block_size));
    }

    bool active_ = false;
    std::vector<bool> noted_;   // by block: whether it is in blocks_
    std::deque<Block> blocks_;  // the first count_ are in use
    size_t count_ = 0;
};

}  // namespace lkl::disk
