// SPDX-License-Identifier: GPL-2.0-only
// Arguments of system calls that hold pointers, with what an input chooses.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "input.hpp"

namespace lkl::fuzz {

// Numbers that calls have returned, and those that there are from the start.
class Kept {
public:
    // At least one.
    Kept(std::initializer_list<long> first) : numbers_(first) {}

    void keep(long number)
    {
        if (numbers_.size() < most)
            numbers_.push_back(number);
    }
    // The last ones first, so that small bytes are the ones that were made for it.
    long choice(uint8_t byte) const
    {
        return numbers_[numbers_.size() - 1 - byte % numbers_.size()];
    }

private:
    static constexpr size_t most = 32;
    std::vector<long> numbers_;
};

// Each function fills the one structure of its kind, and returns its address as an argument,
// valid until the next call of it. Buffers are of 64 KiB.
class Structures {
public:
    // iovec: four elements, parts of the two buffers.
    long vector(void* first, void* second);

    // msghdr: an address, the two buffers as a vector, and a control message or none.
    long message(Input& input, void* first, void* second);

    // sockaddr of a family of the input's, and how long that is.
    long address(Input& input);
    long address_size() const { return address_size_; }

    // timespec of 0 to 255 microseconds.
    long soon(Input& input);

    // sigevent: none, or SIGCHLD, SIGURG, SIGWINCH, which are ignored.
    long event(Input& input);

    // Four of sembuf, with IPC_NOWAIT.
    long operations(Input& input);

    // Where timer_create(2) puts the number, and what it was.
    long timer_place();
    long timer() const { return timer_; }

private:
    std::array<uint64_t, 8> vector_{};
    std::array<uint64_t, 7> message_{};
    std::array<uint64_t, 8> control_{};
    std::array<uint8_t, 128> address_{};
    long address_size_ = 0;
    std::array<int64_t, 2> time_{};
    std::array<uint64_t, 8> event_{};
    std::array<int16_t, 12> operations_{};
    int timer_ = 0;
};

}  // namespace lkl::fuzz
