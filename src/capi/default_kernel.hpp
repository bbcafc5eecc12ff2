// SPDX-License-Identifier: GPL-2.0-only
// The one kernel of the C interface.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <lkl/asm/errno.h>
#include <lkl/kernel.hpp>
#include <lkl/result.hpp>

#include "capi/kept_mounts.hpp"

struct lkl_host_operations;

namespace lkl::capi {

// The kernel from lkl_start_kernel() to lkl_cleanup(), else null. It stays after
// a halt, when it answers -ESHUTDOWN itself. On the heap and never freed behind
// the user's back: a program may exit while its threads are in calls.
// Hidden: reached without the global offset table.
extern constinit std::atomic<Kernel*> default_kernel __attribute__((visibility("hidden")));

// A device by the number that a program has. Until the kernel starts, its back end waits
// here; then it has its identity in the kernel. Neither: it was removed.
struct DiskEntry {
    std::unique_ptr<BlockBackend> waiting;
    std::optional<DiskId> id;
};
struct NetEntry {
    std::unique_ptr<NetBackend> waiting;
    NetOptions options;  // of what waits
    std::optional<NetId> id;
};

// What belongs to it. The mutex guards disks and network interfaces, and serialises
// starting, halting, and adding and removing those. The others are written under it and read
// without: a program's functions may be called back while it is held.
struct State {
    std::mutex mutex;
    std::atomic<lkl_host_operations*> host = nullptr;
    std::atomic<bool> halted = false;
    // Of the next kernel; under the mutex.
    bool fault_handler = false;
    void (*log)(int level, const char* text, int length) = nullptr;
    // By number, which is not used again. Entries stay where they are, lkl_disk.dev
    // points to them.
    std::deque<DiskEntry> disks;
    std::vector<NetEntry> nets;  // the same for network interfaces
    KeptMounts mounts;           // has its own mutex
};
State& state();

// Whether a device may be added: there is a kernel, or lkl_init() was called and it will be
// started. ESHUTDOWN.
Result<void> check_accepts_devices();

// The running kernel, or an error that says that there is none.
Result<Kernel*> running_kernel();

// For functions whose only array is the parameters of a call. The compiler would
// guard them against overflow at the price of a good part of a null system call.
#define LKL_CALL __attribute__((no_stack_protector))

LKL_CALL inline long call(long number, const long* params) noexcept
{
    Kernel* const kernel = default_kernel.load(std::memory_order_acquire);
    if (kernel == nullptr) [[unlikely]]
        return -LKL_ESHUTDOWN;
    return kernel->call(number, params);
}

template <typename T>
constexpr long to_long(T value) noexcept
{
    if constexpr (std::is_pointer_v<T>)
        return reinterpret_cast<long>(value);
    else
        return static_cast<long>(value);
}

// The system call with parameters of any type; the kernel looks at six.
template <typename... Args>
LKL_CALL inline long invoke(long number, Args... args) noexcept
{
    static_assert(sizeof...(Args) <= 6);
    const std::array<long, 6> params{to_long(args)...};
    return call(number, params.data());
}

}  // namespace lkl::capi
