// SPDX-License-Identifier: GPL-2.0-only
#include <lkl/kernel.hpp>
#include <lkl/snapshot.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>

#include <core/devices.hpp>
#include <core/image.hpp>
#include <core/interfaces.hpp>
#include <core/log_levels.hpp>
#include <core/machine.hpp>
#include <core/saved_kernel.hpp>
#include <core/system_calls.hpp>
#include <core/threads.hpp>
#include <platform/posix/fences.hpp>
#include <platform/posix/thread.hpp>
#include <virtio/block/device.hpp>
#include <virtio/net/device.hpp>

namespace lkl {

namespace {

constexpr long sig_setmask = 2;

constexpr long reboot_magic1 = 0xfee1dead;
constexpr long reboot_magic2 = 672274793;
constexpr long reboot_power_off = 0x4321fedc;

constexpr uint64_t page_size = 4096;
// What it takes to boot, and to mount a file system and write to it, with a margin: the
// more is built into an image, the more its own tables take.
constexpr uint64_t least_memory = 24ull << 20;
constexpr uint64_t small_image = 8ull << 20;

// A call in a process that was forked from the kernel's: its memory stayed there.
constexpr int forked = ECHILD;

// The virtio block driver's minor numbers: 16 to a disk.
constexpr unsigned minors_per_disk = 16;

// Linux wants room for a packet of many pages.
constexpr uint16_t least_net_queue = 32;

// What takes the kernel's console text; empty: nothing does.
Machine::Log console_of(const KernelOptions& options)
{
    if (!options.log_with_level)
        return options.log;
    return [take = options.log_with_level, log = options.log](std::string_view text) {
        for_each_log_line(text, [&](int level, std::string_view line) {
            take(level, line);
            if (log)
                log(line);
        });
    };
}

unsigned minor_of(uint64_t device)
{
    return (device & 0xff) | ((device >> 12) & ~0xffull);
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
    uint64_t failed_writes(DiskId disk);
    Result<NetId> add_net(std::unique_ptr<NetBackend> backend, const NetOptions& options);
    Result<void> remove_net(NetId net);
    Result<void> set_net_link(NetId net, bool up);
    Result<NetDeviceStatistics> net_statistics(NetId net);
    Result<void> halt();
    Result<void> take_snapshot();
    Result<size_t> restore_snapshot();
    Result<void> leave_out_of_snapshot(const void* start, size_t size);
    void drop_snapshot();
    bool running() const noexcept
    {
        // EBUSY: a snapshot is being made or restored.
        const int code = closed_.load(std::memory_order_relaxed);
        return (code == 0 || code == EBUSY) && !machine_->vcpu().dead();
    }
    Activity activity();
    std::string panic_message() const { return machine_->panic_message(); }

private:
    struct Forks;
    static Forks& forks();
    long power_off();

    Image image_;
    std::unique_ptr<Machine> machine_;
    posix::FaultHandler faults_;
    std::unique_ptr<Threads> threads_;
    std::unique_ptr<Devices> devices_;

    // 0 while calls are let through, else the errno that they fail with.
    std::atomic<int> closed_{ESHUTDOWN};
    bool started_ = false;
    int next_net_ = 0;  // under a change of devices_

    // Lets no call in while a snapshot is made or restored.
    class NoCalls;

    std::mutex halt_mutex_;  // also what follows
    std::unique_ptr<SavedKernel> saved_;

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
    const uint64_t least = image_.size() < small_image ? least_memory_of_any : least_memory;
    if (options.memory < least || options.memory > most_memory)
        return Error{EINVAL,
                     "kernel memory: between " + std::to_string(least >> 20) + " MiB and 4 TiB"};
    if (options.command_line.size() > most_command_line)
        return Error{E2BIG, "kernel command line: longer than " +
                                std::to_string(most_command_line) + " bytes"};
    const uint64_t memory =
        (options.memory + image_.checkers_memory() + page_size - 1) & ~(page_size - 1);

    // In front: what comes behind "--" is for process 1.
    const std::string command_line =
        std::string(options.log_with_level ? console_with_levels : "") + options.command_line;
    auto machine = Machine::create(image_, memory, command_line, console_of(options));
    if (!machine)
        return std::move(machine).error();
    machine_ = std::move(*machine);
    if (options.fault_handler) {
        if (auto added = faults_.add(machine_->code()); !added)
            return added;
    }
    threads_ = std::make_unique<Threads>(machine_->vcpu());
    devices_ = std::make_unique<Devices>(
        *machine_, [this](long number, const long* args) { return call(number, args); });
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
    devices_->for_each([&activity](virtio::Device& device) {
        if (device.id() != disk_kind)
            return;
        const auto& disk = static_cast<virtio::BlockDevice&>(device);
        const auto statistics = disk.statistics();
        activity.disk_requests += statistics.reads + statistics.writes + statistics.flushes +
                                  statistics.discards + statistics.write_zeroes;
        activity.disk_requests_under_way += statistics.in_flight;
        activity.disk_bytes += statistics.bytes_read + statistics.bytes_written;
        activity.disk_size += disk.capacity();
    });
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
    if (devices_)
        (void)Devices::Change(*devices_).clear();  // nobody is there to be told
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
    // Not a loop: the compiler would leave it one.
    shared.args[0] = args[0];
    shared.args[1] = args[1];
    shared.args[2] = args[2];
    shared.args[3] = args[3];
    shared.args[4] = args[4];
    shared.args[5] = args[5];
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
    // NOLINTNEXTLINE(performance-no-int-to-ptr): system calls have handlers as numbers
    const auto handler = reinterpret_cast<void (*)(int, void*, void*)>(signal.handler);
    handler(signal.signo, signal.info, nullptr);

    const long restore[6] = {sig_setmask, reinterpret_cast<long>(&signal.mask), 0,
                             sizeof signal.mask};
    call(nr_rt_sigprocmask, restore);
    return signal.restart ? call(number, args) : result;
}

Result<DiskId> Kernel::Impl::add_disk(std::unique_ptr<BlockBackend> backend)
{
    constexpr const char* what = "adding a disk";
    if (const int code = closed_.load())
        return Error{code, std::string(what) + ": the kernel has ended"};
    Devices::Change change(*devices_);
    DiskId id;
    auto added =
        change.add(std::make_unique<virtio::BlockDevice>(std::move(backend), machine_->memory()),
                   what, id.device);
    if (!added)
        return std::move(added).error();
    if (id.device == 0) {
        (void)change.remove(**added, what);
        return Error{EIO, std::string(what) + ": the kernel's driver refused it"};
    }
    id.index = (*added)->index = static_cast<int>(minor_of(id.device) / minors_per_disk);
    return id;
}

Result<void> Kernel::Impl::remove_disk(DiskId id)
{
    Devices::Change change(*devices_);
    PluggedDevice* const disk = change.find(disk_kind, id.index);
    if (!disk)
        return Error{ENODEV, "removing a disk: no such disk"};
    return change.remove(*disk, "removing a disk");
}

uint64_t Kernel::Impl::failed_writes(DiskId id)
{
    if (closed_.load() != 0)
        return 0;
    Devices::Change change(*devices_);
    PluggedDevice* const disk = change.find(disk_kind, id.index);
    // All of this kind are of this class (add_disk()).
    return disk ? static_cast<virtio::BlockDevice&>(disk->device()).statistics().failed_writes : 0;
}

// The interface of the new device is the one that was not there before: nobody else
// adds devices of this kind meanwhile.
Result<NetId> Kernel::Impl::add_net(std::unique_ptr<NetBackend> backend, const NetOptions& options)
{
    const std::string what = "adding network interface " + backend->info().name;
    if (const int code = closed_.load())
        return Error{code, what + ": the kernel has ended"};
    if (!std::has_single_bit(options.queue_size) || options.queue_size < least_net_queue ||
        options.queue_size > virtio::Queue::max_size)
        return Error{EINVAL, what + ": a queue size that is no power of two from 32 to 1024"};
    Devices::Change change(*devices_);
    const auto caller = [this](long number, const long* args) { return call(number, args); };
    auto before = virtio_interfaces(caller);
    if (!before)
        return std::move(before).error();
    uint64_t number = 0;
    auto device = std::make_unique<virtio::NetDevice>(
        std::move(backend), machine_->memory(),
        virtio::NetDeviceOptions{options.mac, options.mtu, options.queue_size,
                                 options.transmit_offload, options.receive_offload,
                                 options.mergeable_buffers});
    auto added = change.add(std::move(device), what.c_str(), number);
    if (!added)
        return std::move(added).error();
    auto after = virtio_interfaces(caller);
    for (const auto& [parent, ifindex] : after ? *after : *before) {
        if (before->contains(parent))
            continue;
        (*added)->index = next_net_;
        return NetId{next_net_++, ifindex};
    }
    (void)change.remove(**added, what.c_str());
    return Error{EIO, what + ": the kernel's driver refused it"};
}

Result<void> Kernel::Impl::remove_net(NetId id)
{
    Devices::Change change(*devices_);
    PluggedDevice* const net = change.find(net_kind, id.index);
    if (!net)
        return Error{ENODEV, "removing a network interface: no such interface"};
    return change.remove(*net, "removing a network interface");
}

Result<void> Kernel::Impl::set_net_link(NetId id, bool up)
{
    Devices::Change change(*devices_);
    PluggedDevice* const net = change.find(net_kind, id.index);
    if (!net)
        return Error{ENODEV, "changing a network link: no such interface"};
    static_cast<virtio::NetDevice&>(net->device()).set_link(up);
    return {};
}

Result<NetDeviceStatistics> Kernel::Impl::net_statistics(NetId id)
{
    Devices::Change change(*devices_);
    PluggedDevice* const net = change.find(net_kind, id.index);
    if (!net)
        return Error{ENODEV, "statistics of a network interface: no such interface"};
    const auto all = static_cast<virtio::NetDevice&>(net->device()).statistics();
    NetDeviceStatistics result;
    result.received_frames = all.received;
    result.received_bytes = all.bytes_received;
    result.receive_errors = all.unwanted;
    result.sent_frames = all.sent;
    result.sent_bytes = all.bytes_sent;
    result.send_errors = all.bad_packets_sent + all.refused;
    result.send_dropped = all.lost_link_down;
    return result;
}

// Whose user the calling thread's task has become does not matter: the end of the kernel
// is the library's. The task of a new thread has process 1's credentials, which no call
// changes.
long Kernel::Impl::power_off()
{
    struct Request {
        Impl& kernel;
        long result = -EPERM;
    };
    const auto ask = [](void* argument) -> void* {
        auto* const request = static_cast<Request*>(argument);
        const long args[6] = {reboot_magic1, reboot_magic2, reboot_power_off};
        request->result = request->kernel.call(nr_reboot, args);
        return nullptr;
    };
    Request request{*this};
    ask(&request);
    pthread_t thread{};
    if (request.result == -EPERM && posix::start_thread(thread, "lkl-halt", ask, &request) == 0)
        ::pthread_join(thread, nullptr);
    return request.result;
}

Result<void> Kernel::Impl::halt()
{
    std::lock_guard lock(halt_mutex_);
    if (const int code = closed_.load(); code != 0) {
        if (code == ESHUTDOWN)
            return {};
        return Error{code, "halting: " + std::string(std::strerror(code))};
    }
    const long result = power_off();  // which writes back (arch/lkl/kernel/reboot.c)
    const bool panicked = result == -EIO;
    if (!machine_->vcpu().dead())
        return system_error(result, "halting the kernel");
    closed_.store(panicked ? EIO : ESHUTDOWN);
    machine_->vcpu().stop();
    // What is in flight writes to the memory. What a kernel that panicked has written is
    // flushed as well: it was told that it is on the disk.
    auto finished = Devices::Change(*devices_).clear();
    wait_for_calls();
    machine_->release_memory();
    if (panicked) {
        std::string what = "the kernel panicked: " + machine_->panic_message();
        if (!finished)
            what += "; " + finished.error().what;
        return Error{EIO, std::move(what)};
    }
    if (!finished)
        return Error{finished.error().code, "halting the kernel: " + finished.error().what};
    return {};
}

class Kernel::Impl::NoCalls {
public:
    explicit NoCalls(Impl& kernel) : kernel_(kernel), threads_(*kernel.threads_)
    {
        kernel_.closed_.compare_exchange_strong(code_, EBUSY);
        if (code_ != 0)
            return;
        // Partner of the light fence of InsideCall, as in wait_for_calls().
        posix::heavy_fence();
        if (kernel_.threads_->in_call())
            code_ = EAGAIN;
    }
    ~NoCalls()
    {
        int busy = EBUSY;
        if (code_ == 0 || code_ == EAGAIN)
            kernel_.closed_.compare_exchange_strong(busy, 0);
    }
    NoCalls(const NoCalls&) = delete;
    NoCalls& operator=(const NoCalls&) = delete;

    Result<void> check() const
    {
        if (code_ == EAGAIN)
            return Error{EBUSY, "snapshot: a thread is in a call of the kernel"};
        if (code_ != 0)
            return Error{code_, "snapshot: the kernel has ended"};
        return {};
    }

private:
    Impl& kernel_;
    const Threads::Hold threads_;
    int code_ = 0;
};

Result<void> Kernel::Impl::take_snapshot()
{
    const std::lock_guard lock(halt_mutex_);
    if (saved_)
        return Error{EEXIST, "snapshot: the kernel has one already"};
    const NoCalls alone(*this);
    if (auto checked = alone.check(); !checked)
        return checked;
    auto saved = SavedKernel::take(*machine_, *threads_, *devices_);
    if (!saved)
        return std::move(saved).error();
    saved_ = std::move(*saved);
    return {};
}

Result<size_t> Kernel::Impl::restore_snapshot()
{
    const std::lock_guard lock(halt_mutex_);
    const NoCalls alone(*this);
    if (auto checked = alone.check(); !checked)
        return std::move(checked).error();
    return saved_->restore();
}

Result<void> Kernel::Impl::leave_out_of_snapshot(const void* start, size_t size)
{
    const std::lock_guard lock(halt_mutex_);
    return saved_->leave_out(start, size);
}

void Kernel::Impl::drop_snapshot()
{
    const std::lock_guard lock(halt_mutex_);
    saved_.reset();
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

uint64_t Kernel::failed_writes(DiskId disk) const
{
    return impl_->failed_writes(disk);
}

Result<NetId> Kernel::add_net(std::unique_ptr<NetBackend> backend, const NetOptions& options)
{
    return impl_->add_net(std::move(backend), options);
}
Result<void> Kernel::remove_net(NetId net)
{
    return impl_->remove_net(net);
}
Result<void> Kernel::set_net_link(NetId net, bool up)
{
    return impl_->set_net_link(net, up);
}
Result<NetDeviceStatistics> Kernel::net_statistics(NetId net) const
{
    return impl_->net_statistics(net);
}
Result<void> Kernel::halt()
{
    return impl_->halt();
}
Result<Snapshot> Snapshot::take(Kernel& kernel)
{
    if (auto taken = kernel.impl_->take_snapshot(); !taken)
        return std::move(taken).error();
    return Snapshot(kernel.impl_.get());
}

Result<size_t> Snapshot::restore()
{
    return kernel_->restore_snapshot();
}

Result<void> Snapshot::leave_out(const void* start, size_t size)
{
    return kernel_->leave_out_of_snapshot(start, size);
}

Snapshot::Snapshot(Snapshot&& other) noexcept : kernel_(std::exchange(other.kernel_, nullptr)) {}

Snapshot::~Snapshot()
{
    if (kernel_)
        kernel_->drop_snapshot();
}

bool Kernel::running() const noexcept
{
    return impl_->running();
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
