// SPDX-License-Identifier: GPL-2.0-only
// Tools that follow the program's stacks have to be told when a thread goes on on
// another one: AddressSanitizer and valgrind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lkl::posix {

// The stacks of one kernel, as its carrier comes to them.
//
// AddressSanitizer wants the bounds of the stack that a thread is on: it clears the
// marks of frames that an exception skips, and keeps copies of frames by their
// place. Its functions are looked for in the process, whichever part of it brought
// them: callbacks of an instrumented program run on kernel stacks too, if the
// library is not instrumented.
//
// Valgrind takes a small step of the stack pointer for the growth of one stack;
// kernel stacks lie close together.
//
// ThreadSanitizer needs nothing: what it keeps by thread are the calls that have
// not returned, and no function of the host is left on a kernel stack when that
// stack is switched away from.
class StackObserver {
public:
    StackObserver() = default;
    StackObserver(const StackObserver&) = delete;
    StackObserver& operator=(const StackObserver&) = delete;
    ~StackObserver();

    // Whether anybody wants to be told; constant in a process.
    static bool wanted() noexcept;

    // lkl_host_ops.fiber_switch: the calling thread goes to a kernel stack of `size`
    // bytes, or is back (0) on the stack from which it came to the first of them. One
    // thread at a time, the same one from the first stack until it is back.
    void switched(uintptr_t stack, size_t size) noexcept;

private:
    void announce_to_valgrind(uintptr_t stack, size_t size) noexcept;

    // The stack to come back to.
    bool away_ = false;
    void* frames_ = nullptr;  // AddressSanitizer's copies of its frames
    const void* bottom_ = nullptr;
    size_t size_ = 0;

    struct Known {
        uintptr_t stack;
        size_t size;
        unsigned id;
    };
    std::vector<Known> known_;  // sorted; valgrind's
};

}  // namespace lkl::posix
