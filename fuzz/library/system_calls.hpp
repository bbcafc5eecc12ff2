// SPDX-License-Identifier: GPL-2.0-only
// SystemCallTarget: sequences of system calls on a kernel that has nothing but memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <lkl/result.hpp>

#include "machine.hpp"

namespace lkl::fuzz {

// An input is up to 64 calls, each a byte that says which and what its arguments need,
// by their kinds (system_calls.cpp). Calls that could wait for ever are not among them,
// or are made not to wait.
//
// The kernel copies to and from the addresses of this process, so pointers are always
// those of a buffer of ours. What a buffer holds are words below 2^32, which are no
// addresses here: what holds pointers (vectors, messages, requests of io_uring, attributes of
// bpf) is put together by the target (structures.hpp), and refused with EFAULT elsewhere.
class SystemCallTarget {
public:
    // Errors: those of starting a machine.
    static Result<std::unique_ptr<SystemCallTarget>> start();

    // Ends the process if the kernel dies, see Machine.
    void run(std::span<const uint8_t> input);

    Machine& machine() { return *machine_; }

    // The numbers of the calls of the last input that returned no error, for tests.
    const std::vector<long>& succeeded() const { return succeeded_; }

private:
    SystemCallTarget() = default;

    std::unique_ptr<Machine> machine_;
    std::vector<long> succeeded_;
};

}  // namespace lkl::fuzz
