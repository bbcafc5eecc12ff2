// SPDX-License-Identifier: GPL-2.0-only
#include <lkl/kernel.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>

#include <core/image.hpp>
#include <core/machine.hpp>
#include <core/threads.hpp>
#include <platform/posix/fences.hpp>
#include <virtio/block/device.hpp>

namespace lkl {

namespace {

// System calls that the library itself makes, of the generic 64-bit table and of
// arch/lkl (asm/unistd.h).
constexpr long nr_sync = 81;
constexpr long nr_rt_sigprocmask = 135;
constexpr long nr_reboot = 142;
constexpr long nr_device_add = 244;
constexpr long nr_device_remove = 245;

constexpr long sig_setmask = 2;

constexpr long reboot_magic1 = 0xfee1dead;
constexpr long reboot_magic2 = 672274793;
constexpr long reboot_power_off = 0x4321fedc;

constexpr uint64_t page_size = 4096;
constexpr uint64_t least_memory = 16ull << 20;
constexpr uint64_t most_memory = 1ull << 42;

// A call in a process that was forked from the kernel's: its memory stayed there.
constexpr int forked = ECHILD;

// The virtio block driver's minor numbers: 16 to a disk.
constexpr unsigned minors_per_disk = 16;

unsigned minor_of(uint64_t device)
{
    return (device & 0xff) | ((device >> 12) & ~0xffull);
}

Error system_error(long result, const std::string& what)
{
    const int code = static_cast<int>(-result);
    return {code, what + ": " + std::strerror(code)};
}

}  // namespace

class Kernel::Impl {
public:
    explicit Impl(Image&& image) : image_(std::move(image)) {}
    ~Impl();

    Result<void> boot(const KernelOptions& options);
    long call(long number, const long* args) noexcept;
    void wait_for_calls() noexcept;
    long handle_signal(HostThread& thread, long number, const long* args, long result) noexcept;
    Result<DiskId> add_disk(std::unique_ptr<BlockBackend> backend);
    Result<void> remove_disk(DiskId disk);
    Result<void> halt();
    Activity activity();
    std::string panic_message() const { return machine_->panic_message(); }

private:
    // A disk with everything that serves it, taken apart from top to bottom.
    struct Disk final : EventSource {
        Disk(Machine& machine, std::unique_ptr<BlockBackend> backend, unsigned slot)
            : machine(machine),
              slot(slot),
              device(std::move(backend), machine.memory()),
              transport(device, machine.line(slot))
        {
            machine.plug(slot, &transport);
            if (device.poll_fd() >= 0)
                machine.vcpu().add_source(this);
        }
        ~Disk()
        {
            transport.reset();
            machine.vcpu().remove_source(this);
            machine.plug(slot, nullptr);
        }
        int poll_fd() const noexcept override { return device.poll_fd(); }
        void ready() noexcept override { device.reap(); }

        Machine& machine;
        const unsigned slot;
        virtio::BlockDevice device;
        virtio::Mmio transport;
        DiskId id;
        long kernel_id = -1;
    };

    struct Forks;
    static Forks& forks();

    Image image_;
    std::unique_ptr<Machine> machine_;
    posix::FaultHandler faults_;
    std::unique_ptr<Threads> threads_;

    // 0 while calls are let through, else the errno that they fail with.
    std::atomic<int> closed_{ESHUTDOWN};
    bool started_ = false;

    void take_out(const Disk* disk);

    // The list itself; never held while the kernel is called.
    std::mutex disks_mutex_;
    std::vector<std::unique_ptr<Disk>> disks_;
    // One change at a time.
    std::mutex disk_change_mutex_;
    std::mutex halt_mutex_;

public:
    bool in_forked_child() const { return closed_.load() == forked; }
};

// All kernels of the process, for fork(): the child has neither their memory nor
// their threads, so that every one of them is closed there.
struct Kernel::Impl::Forks {
    std::mutex mutex;
    std::set<Impl*> kernels;

    Forks()
    {
        ::pthread_atfork(
            [] {
                forks().mutex.lock();
                Threads::before_fork();
            },
            [] {
                Threads::after_fork(false);
                forks().mutex.unlock();
            },
            [] {
                Threads::after_fork(true);
                for (Impl* kernel : forks().kernels)
                    kernel->closed_.store(forked);
                forks().kernels.clear();
                forks().mutex.unlock();
            });
    }
};

Kernel::Impl::Forks& Kernel::Impl::forks()
{
    static Forks* const instance = new Forks;
    return *instance;
}

Result<void> Kernel::Impl::boot(const KernelOptions& options)
{
    if (options.memory < least_memory || options.memory > most_memory)
        return Error{EINVAL, "kernel memory: between 16 MiB and 4 TiB"};
    const uint64_t memory = (options.memory + page_size - 1) & ~(page_size - 1);

    auto machine = Machine::create(image_, memory, options.command_line, options.log);
    if (!machine)
        return std::move(machine).error();
    machine_ = std::move(*machine);
    if (options.fault_handler) {
        if (auto added = faults_.add(machine_->code()); !added)
            return added;
    }
    threads_ = std::make_unique<Threads>(machine_->vcpu());
    {
        std::lock_guard lock(forks().mutex);
        forks().kernels.insert(this);
    }

    HostThread* thread = threads_->current();
    if (!thread)
        return Error{ENOMEM, "starting the kernel: out of memory"};
    if (const int code = machine_->vcpu().boot(*thread)) {
        std::string why = machine_->panic_message();
        if (why.empty())
            why = std::strerror(code);
        return Error{code, "the kernel did not start: " + why};
    }
    started_ = true;
    closed_.store(0);
    return {};
}

Activity Kernel::Impl::activity()
{
    Activity activity;
    threads_->for_each([&activity](const HostThread& thread) {
        activity.calls_ended += thread.calls.load(std::memory_order_relaxed);
        activity.calls_under_way += thread.depth.load(std::memory_order_relaxed);
    });
    const std::lock_guard lock(disks_mutex_);
    for (const auto& disk : disks_) {
        const virtio::BlockStatistics statistics = disk->device.statistics();
        activity.disk_requests += statistics.reads + statistics.writes + statistics.flushes +
                                  statistics.discards + statistics.write_zeroes;
        activity.disk_requests_under_way += statistics.in_flight;
    }
    return activity;
}

Kernel::Impl::~Impl()
{
    if (started_)
        (void)halt();
    int open = 0;
    closed_.compare_exchange_strong(open, ESHUTDOWN);
    {
        std::lock_guard lock(forks().mutex);
        forks().kernels.erase(this);
    }
    disks_.clear();
    if (machine_)
        machine_->vcpu().stop();
    if (threads_)
        wait_for_calls();
}

// Waits for the calls of other threads, which are on their way out of a dead kernel:
// those that slept have been woken, and one may have carried it to its end, and be on
// a kernel stack still.
void Kernel::Impl::wait_for_calls() noexcept
{
    posix::heavy_fence();
    const HostThread* self = threads_->current();
    threads_->for_each([self](const HostThread& thread) {
        while (&thread != self && thread.depth.load(std::memory_order_acquire) != 0)
            std::this_thread::yield();
    });
}

long Kernel::Impl::call(long number, const long* args) noexcept
{
    HostThread* thread = threads_->current();
    if (!thread) [[unlikely]]
        return -ENOMEM;

    // Partner of the heavy fence in wait_for_calls(): either this call is waited for,
    // or it finds the kernel closed and touches nothing of it.
    const InsideCall inside(*thread);
    if (const int code = closed_.load(std::memory_order_relaxed)) [[unlikely]]
        return -code;
    lkl_thread& shared = thread->shared;
    shared.request = LKL_REQ_SYSCALL;
    shared.nr = number;
    for (int i = 0; i < 6; ++i)
        shared.args[i] = args[i];
    const long result = machine_->vcpu().run_request(*thread);
    if (shared.signal.signo) [[unlikely]]
        return handle_signal(*thread, number, args, result);
    return result;
}

// Calls the program's handler for a signal that the call has brought, as the
// kernel would on the way back to the program.
long Kernel::Impl::handle_signal(HostThread& thread, long number, const long* args,
                                 long result) noexcept
{
    // The handler may make calls of its own.
    auto signal = std::exchange(thread.shared.signal, {});
    const auto handler = reinterpret_cast<void (*)(int, void*, void*)>(signal.handler);
    handler(signal.signo, signal.info, nullptr);

    const long restore[6] = {sig_setmask, reinterpret_cast<long>(&signal.mask), 0,
                             sizeof signal.mask};
    call(nr_rt_sigprocmask, restore);
    return signal.restart ? call(number, args) : result;
}

Result<DiskId> Kernel::Impl::add_disk(std::unique_ptr<BlockBackend> backend)
{
    if (closed_.load())
        return Error{closed_.load(), "adding a disk: the kernel has ended"};
    const std::lock_guard change(disk_change_mutex_);
    unsigned slot = 0;
    while (std::any_of(disks_.begin(), disks_.end(),
                       [slot](const auto& disk) { return disk->slot == slot; }))
        ++slot;
    if (slot >= Machine::slots)
        return Error{ENOSPC, "adding a disk: no interrupt line is left"};

    auto owned = std::make_unique<Disk>(*machine_, std::move(backend), slot);
    Disk* const disk = owned.get();
    {
        const std::lock_guard lock(disks_mutex_);
        disks_.push_back(std::move(owned));
    }
    const uint64_t base = DeviceWindow::base + slot * DeviceWindow::stride;
    uint64_t device = 0;
    const long args[6] = {static_cast<long>(base), static_cast<long>(virtio::Mmio::window),
                          static_cast<long>(Machine::irq(slot)), reinterpret_cast<long>(&device)};
    disk->kernel_id = call(nr_device_add, args);
    if (const long result = disk->kernel_id; result < 0) {
        take_out(disk);
        return system_error(result, "adding a disk");
    }
    if (device == 0) {
        const long remove[6] = {disk->kernel_id};
        call(nr_device_remove, remove);
        take_out(disk);
        return Error{EIO, "adding a disk: the kernel's driver refused it"};
    }
    disk->id.device = device;
    disk->id.index = static_cast<int>(minor_of(device) / minors_per_disk);
    return disk->id;
}

// Ends what serves the disk, which waits for requests in flight.
void Kernel::Impl::take_out(const Disk* disk)
{
    std::unique_ptr<Disk> gone;
    const std::lock_guard lock(disks_mutex_);
    const auto found = std::find_if(disks_.begin(), disks_.end(),
                                    [disk](const auto& one) { return one.get() == disk; });
    gone = std::move(*found);
    disks_.erase(found);
}

Result<void> Kernel::Impl::remove_disk(DiskId id)
{
    const std::lock_guard change(disk_change_mutex_);
    const auto found = std::find_if(disks_.begin(), disks_.end(),
                                    [&](const auto& disk) { return disk->id.index == id.index; });
    if (found == disks_.end())
        return Error{ENODEV, "removing a disk: no such disk"};
    const long args[6] = {(*found)->kernel_id};
    if (const long result = call(nr_device_remove, args); result < 0 && !closed_.load())
        return system_error(result, "removing a disk");
    take_out(found->get());
    return {};
}

Result<void> Kernel::Impl::halt()
{
    std::lock_guard lock(halt_mutex_);
    if (const int code = closed_.load(); code != 0) {
        if (code == ESHUTDOWN)
            return {};
        return Error{code, "halting: " + std::string(std::strerror(code))};
    }
    const long none[6] = {};
    call(nr_sync, none);
    const long args[6] = {reboot_magic1, reboot_magic2, reboot_power_off};
    const long result = call(nr_reboot, args);
    const bool panicked = result == -EIO;
    if (!machine_->vcpu().dead())
        return system_error(result, "halting the kernel");
    closed_.store(panicked ? EIO : ESHUTDOWN);
    machine_->vcpu().stop();
    {
        // What is in flight writes to the memory.
        const std::lock_guard change(disk_change_mutex_);
        std::vector<std::unique_ptr<Disk>> gone;
        const std::lock_guard lock(disks_mutex_);
        gone.swap(disks_);
    }
    wait_for_calls();
    machine_->release_memory();
    if (panicked)
        return Error{EIO, "the kernel panicked: " + machine_->panic_message()};
    return {};
}

Kernel::Kernel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Kernel::Kernel(Kernel&&) noexcept = default;

Kernel& Kernel::operator=(Kernel&& other) noexcept
{
    std::swap(impl_, other.impl_);
    return *this;
}

Kernel::~Kernel()
{
    // Its threads and memory are the parent's; here there is nothing to end.
    if (impl_ && impl_->in_forked_child())
        (void)impl_.release();
}

Result<Kernel> Kernel::start(const KernelOptions& options)
{
    auto image = Image::open(options.image.empty() ? default_kernel_image() : options.image,
                             options.image_descriptor);
    if (!image)
        return std::move(image).error();
    auto impl = std::make_unique<Impl>(std::move(*image));
    if (auto booted = impl->boot(options); !booted)
        return std::move(booted).error();
    return Kernel(std::move(impl));
}

long Kernel::call(long number, const long* args) noexcept
{
    return impl_->call(number, args);
}

Result<DiskId> Kernel::add_disk(std::unique_ptr<BlockBackend> backend)
{
    return impl_->add_disk(std::move(backend));
}

Result<void> Kernel::remove_disk(DiskId disk)
{
    return impl_->remove_disk(disk);
}
Result<void> Kernel::halt()
{
    return impl_->halt();
}
Activity Kernel::activity() const
{
    return impl_->activity();
}
std::string Kernel::panic_message() const
{
    return impl_->panic_message();
}

}  // namespace lkl
