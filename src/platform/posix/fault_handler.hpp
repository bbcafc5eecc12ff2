// SPDX-License-Identifier: GPL-2.0-only
// The process's handler of memory faults, for programs that opted in.
#pragma once

#include <cstdint>

#include <lkl/result.hpp>

namespace lkl::posix {

// While any FaultHandler holds code, SIGSEGV and SIGBUS are handled: a fault of
// that code goes on where the code says, every other one goes to the handler that
// the process had before.
class FaultHandler {
public:
    struct Code {
        uintptr_t start = 0, end = 0;
        // Where to continue after a fault at ip; 0: it is not expected.
        unsigned long (*fixup)(unsigned long ip) = nullptr;
        // Called in place of the faulting instruction if it is not. Does not return.
        void (*oops)(unsigned long address, unsigned long ip) = nullptr;
    };

    FaultHandler() = default;
    FaultHandler(const FaultHandler&) = delete;
    FaultHandler& operator=(const FaultHandler&) = delete;
    // Nobody runs the code any more.
    ~FaultHandler();

    // Once. Errors: EMFILE, when there are too many; those of sigaction(2).
    Result<void> add(const Code& code);

private:
    int slot_ = -1;
};

}  // namespace lkl::posix
