// SPDX-License-Identifier: GPL-2.0-only
#include "capi/default_kernel.hpp"

#include <array>
#include <cstdarg>
#include <cstdio>
#include <new>
#include <string>
#include <utility>

#include <lkl.h>

#include "capi/command_line.hpp"
#include "capi/errors.hpp"
#include "capi/guarded.hpp"
#include "capi/task.hpp"

namespace lkl::capi {

constinit std::atomic<Kernel*> default_kernel{nullptr};

State& state()
{
    // Not destroyed at exit, when other threads may still be in calls.
    static State& instance = *new State;
    return instance;
}

Result<Kernel*> running_kernel()
{
    Kernel* const kernel = default_kernel.load(std::memory_order_acquire);
    if (kernel == nullptr)
        return Error{LKL_ESHUTDOWN, "no kernel runs"};
    return kernel;
}

Result<void> check_accepts_devices()
{
    // A kernel that has ended refuses them itself.
    if (state().host == nullptr)
        return Error{LKL_ESHUTDOWN, "no kernel runs, and lkl_init() was not called"};
    return {};
}

namespace {

thread_local std::string last_panic;

// vsnprintf() into a string. Null: the format is bad.
std::optional<std::string> format_text(const char* format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    const int length = std::vsnprintf(nullptr, 0, format, again);
    va_end(again);
    if (length < 0)
        return std::nullopt;
    std::string text(static_cast<size_t>(length) + 1, '\0');
    std::vsnprintf(text.data(), text.size(), format, arguments);
    text.pop_back();
    return text;
}

// 0, or why `what`, a setting of the next kernel, cannot be done now.
int check_before_start(const State& own, const std::string& what)
{
    if (own.host == nullptr)
        return fail(LKL_EINVAL, what + ": lkl_init() was not called");
    if (default_kernel.load(std::memory_order_relaxed) != nullptr)
        return fail(LKL_EBUSY, what + ": there is a kernel; lkl_cleanup() comes first");
    return 0;
}

// Entries without a disk or an interface, whose numbers are not used again.
void drop_devices(State& own)
{
    for (DiskEntry& disk : own.disks)
        disk = {};
    for (NetEntry& net : own.nets)
        net = {};
}

Error cannot_add(const Error& why, const char* kind, size_t number)
{
    return {why.code,
            std::string("start kernel: ") + kind + std::to_string(number) + ": " + why.what};
}

// Adds what was added before the start, in the order of the numbers.
Result<void> add_waiting(State& own, Kernel& kernel)
{
    for (size_t i = 0; i < own.disks.size(); ++i) {
        DiskEntry& disk = own.disks[i];
        if (!disk.waiting)
            continue;
        const auto added = kernel.add_disk(std::move(disk.waiting));
        if (!added)
            return cannot_add(added.error(), "disk ", i);
        disk.id = *added;
    }
    for (size_t i = 0; i < own.nets.size(); ++i) {
        NetEntry& net = own.nets[i];
        if (!net.waiting)
            continue;
        const auto added = kernel.add_net(std::move(net.waiting), net.options);
        if (!added)
            return cannot_add(added.error(), "network device ", i);
        net.id = *added;
    }
    return {};
}

int start(const std::optional<std::string>& text)
{
    State& own = state();
    const std::lock_guard lock(own.mutex);
    const lkl_host_operations* const host = own.host;
    if (const int error = check_before_start(own, "start kernel"))
        return error;
    if (!text)
        return fail(LKL_EINVAL, "start kernel: bad format of the command line");
    auto options = parse_command_line(*text);
    if (!options)
        return fail(options.error());
    options->fault_handler = own.fault_handler;
    if (const auto log = own.log) {
        options->log_with_level = [log](int level, std::string_view line) {
            log(level, line.data(), static_cast<int>(line.size()));
        };
    } else if (const auto print = host->print) {
        options->log = [print](std::string_view line) {
            print(line.data(), static_cast<int>(line.size()));
        };
    }
    auto kernel = Kernel::start(*options);
    if (!kernel)
        return fail(kernel.error());
    if (const auto added = add_waiting(own, *kernel); !added) {
        // What the kernel was given ends with it; a program does not have half of its
        // devices without knowing it.
        drop_devices(own);
        return fail(added.error());
    }
    own.halted = false;
    default_kernel.store(new Kernel(*std::move(kernel)), std::memory_order_release);
    return 0;
}

long halt(State& own, Kernel* kernel)
{
    if (kernel == nullptr || own.halted)
        return -LKL_ESHUTDOWN;
    // Without a task, which the next attempt may get, this thread can do none of it.
    if (const long task = make_task(*kernel); task < 0 && kernel->running())
        return fail(static_cast<int>(-task), "halting the kernel: there is no room for a thread");
    const auto written = own.mounts.write_back(*kernel);
    const auto result = kernel->halt();
    if (!result && kernel->running())
        return fail(result.error());
    own.halted = true;
    own.mounts.forget_all();
    // The kernel has taken its disks along.
    for (DiskEntry& disk : own.disks)
        disk = {};
    if (!result)
        return fail(result.error());
    return written ? 0 : fail(LKL_EIO, "halting the kernel: " + written.error().what);
}

}  // namespace

}  // namespace lkl::capi

using namespace lkl::capi;
using lkl::Kernel;

extern "C" {

int lkl_init(struct lkl_host_operations* ops)
{
    return guarded(__func__, {}, [&] {
        State& own = state();
        const std::lock_guard lock(own.mutex);
        if (ops == nullptr)
            return fail(LKL_EINVAL, "lkl_init: no host operations");
        if (default_kernel.load(std::memory_order_relaxed) != nullptr)
            return fail(LKL_EBUSY, "lkl_init: there is a kernel; lkl_cleanup() comes first");
        own.host = ops;
        return 0;
    });
}

int lkl_set_fault_handler(int enable)
{
    return guarded(__func__, {}, [&] {
        State& own = state();
        const std::lock_guard lock(own.mutex);
        if (const int error = check_before_start(own, "set fault handler"))
            return error;
        own.fault_handler = enable != 0;
        return 0;
    });
}

int lkl_set_log(void (*log)(int level, const char* text, int len))
{
    return guarded(__func__, {}, [&] {
        State& own = state();
        const std::lock_guard lock(own.mutex);
        if (const int error = check_before_start(own, "set log"))
            return error;
        own.log = log;
        return 0;
    });
}

int lkl_start_kernel(const char* fmt, ...)
{
    va_list arguments;
    va_start(arguments, fmt);
    const int result = guarded(__func__, {fmt}, [&] { return start(format_text(fmt, arguments)); });
    va_end(arguments);
    return result;
}

long lkl_sys_halt(void)
{
    return guarded(__func__, {}, [&]() -> long {
        State& own = state();
        const std::lock_guard lock(own.mutex);
        return halt(own, default_kernel.load(std::memory_order_relaxed));
    });
}

void lkl_cleanup(void)
{
    guarded(__func__, {}, [&] {
        State& own = state();
        const std::lock_guard lock(own.mutex);
        Kernel* const kernel = default_kernel.load(std::memory_order_relaxed);
        (void)halt(own, kernel);
        own.mounts.forget_all();  // of what was mounted while it was halted, too
        default_kernel.store(nullptr, std::memory_order_release);
        delete kernel;
        own.disks.clear();
        own.nets.clear();
        own.host = nullptr;
        own.fault_handler = false;
        own.log = nullptr;
    });
}

int lkl_is_running(void)
{
    const int result = guarded(__func__, {}, [] {
        const Kernel* const kernel = default_kernel.load(std::memory_order_acquire);
        return kernel != nullptr && kernel->running() ? 1 : 0;
    });
    // Without memory for the message: there is one.
    return result == 1 ? 1 : 0;
}

const char* lkl_panic_message(void)
{
    const char* const text = guarded(__func__, {}, [] {
        const Kernel* const kernel = default_kernel.load(std::memory_order_acquire);
        last_panic = kernel != nullptr ? kernel->panic_message() : std::string();
        return last_panic.c_str();
    });
    return text != nullptr ? text : "";
}

long lkl_syscall(long no, long* params)
{
    return params != nullptr ? call(no, params) : -LKL_EFAULT;
}

}  // extern "C"
