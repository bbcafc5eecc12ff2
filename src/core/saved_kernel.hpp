// SPDX-License-Identifier: GPL-2.0-only
// SavedKernel: all that a running kernel is, put together from its parts.
//
//   image's data, memory, windows        posix::MemorySnapshot
//   who runs, timer, whether it is dead  Vcpu::Pause
//   threads of the program               Threads::State
//   queues, registers, disks' contents   Devices::State
//
// The words that kernel and host share (lkl_vcpu) are a part of the image's data: in
// every pause the lock is held by the one who paused and nobody else, so that the word
// that comes back says what is the case. The words of lkl_thread are the host's memory,
// and come back with the threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <core/devices.hpp>
#include <core/machine.hpp>
#include <core/threads.hpp>
#include <lkl/result.hpp>
#include <platform/posix/memory_snapshot.hpp>

namespace lkl {

// The caller sees to it that no thread is in a call, begins one or ends, and that the
// kernel is not halted meanwhile. Errors: see lkl/snapshot.hpp.
class SavedKernel {
public:
    static Result<std::unique_ptr<SavedKernel>> take(Machine& machine, Threads& threads,
                                                     Devices& devices);
    ~SavedKernel();
    SavedKernel(const SavedKernel&) = delete;
    SavedKernel& operator=(const SavedKernel&) = delete;

    Result<size_t> restore();
    Result<void> leave_out(const void* start, size_t size)
    {
        const auto at = reinterpret_cast<uintptr_t>(start);
        return memory_->leave_out(at, at + size);
    }

private:
    SavedKernel(Machine& machine, Threads& threads, Devices& devices)
        : machine_(machine), threads_(threads), devices_(devices)
    {
    }

    Machine& machine_;
    Threads& threads_;
    Devices& devices_;
    std::unique_ptr<posix::MemorySnapshot> memory_;
    Threads::State thread_state_;
    Devices::State device_state_;
    uint64_t deadline_ = 0;
};

}  // namespace lkl
