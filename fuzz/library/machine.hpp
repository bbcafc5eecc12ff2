// SPDX-License-Identifier: GPL-2.0-only
// Machine: one kernel that a fuzz target runs its inputs on, each on the same state.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <lkl/kernel.hpp>
#include <lkl/snapshot.hpp>

#include "coverage.hpp"

namespace lkl::fuzz {

struct MachineOptions {
    uint64_t memory = 64ull << 20;
    std::string command_line;  // of the kernel, before LKL_FUZZ_COMMAND_LINE
    std::vector<std::unique_ptr<BlockBackend>> disks;
    // What is the same for all inputs, done before the snapshot. device: of each disk.
    std::function<Result<void>(Kernel&, const std::vector<DiskId>&)> prepare;
    // After that, before the snapshot.
    std::function<void()> settled;
};

// Used by one thread. It boots at construction, from the image that LKL_KERNEL_IMAGE
// names or, if it is there, vmlinux-fuzz beside the default one, with the options in
// LKL_FUZZ_COMMAND_LINE.
class Machine {
public:
    // Errors: those of Kernel::start(), of adding disks, of prepare, of the snapshot.
    static Result<std::unique_ptr<Machine>> start(MachineOptions options);

    // Runs `job` and puts everything back to what it was. If the kernel has died by then,
    // prints its log on standard error and aborts: the fuzzer takes that for a finding,
    // and keeps the input. The kernel's coverage is counted.
    void execute(const std::function<void(Kernel&)>& job);

    // In the middle of an execution: counts what was reached so far (or keeps the comparisons),
    // so that the rest has all the room that there is for coverage, 262,143 places. Mounting
    // F2FS alone takes that.
    void count_coverage();

    // The last execution reached something of the kernel that none before it did.
    bool reached_new() const { return reached_new_; }

    // Has the next execution record the kernel's comparisons; its coverage is not counted.
    // False: the kernel cannot.
    bool watch_comparisons() { return watching_ = coverage_.compares(); }

    // Those of the last execution, if it recorded any.
    const std::vector<Comparison>& comparisons() const { return comparisons_; }

private:
    Machine() = default;
    [[noreturn]] void report(const char* what) const;

    std::string log_;  // of this execution
    std::optional<Kernel> kernel_;
    std::optional<Snapshot> snapshot_;
    Coverage coverage_;
    bool reached_new_ = false;
    bool watching_ = false;
    std::vector<Comparison> comparisons_;
};

// What a target needs for all of its inputs is started with the first one (and not
// before, so that the fuzzer's own handlers of signals are there already). Without it
// nothing can be done: says why on standard error, and exits.
[[noreturn]] void cannot_start(const Error& why);

template <typename T>
T& must_start(Result<std::unique_ptr<T>> started)
{
    if (!started)
        cannot_start(started.error());
    // Never destroyed: a fuzzer ends a process from anywhere.
    return *started->release();
}

}  // namespace lkl::fuzz
