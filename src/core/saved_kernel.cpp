// SPDX-License-Identifier: GPL-2.0-only
#include <core/saved_kernel.hpp>

#include <cerrno>
#include <utility>

namespace lkl {

namespace {

// How often a kernel may find new work in what its devices have completed.
constexpr int most_rounds = 10'000;

void drain(Devices& devices)
{
    devices.for_each([](virtio::Device& device) { device.drain(); });
}

// Nothing comes in meanwhile: the kernel finds its rest, and the memory is nobody's.
class Hold {
public:
    explicit Hold(Devices& devices) : devices_(devices)
    {
        devices_.for_each([](virtio::Device& device) { device.hold(); });
    }
    ~Hold()
    {
        devices_.for_each([](virtio::Device& device) { device.release(); });
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

private:
    Devices& devices_;
};

// Until the kernel has nothing to do and its devices have not either.
Result<void> come_to_rest(Vcpu::Pause& pause, Devices& devices)
{
    for (int round = 0; round < most_rounds; ++round) {
        if (!pause.settle())
            return Error{EIO, "snapshot: the kernel is dead"};
        drain(devices);
        if (!pause.interrupted())
            return {};
    }
    return Error{EBUSY, "snapshot: the kernel does not come to rest"};
}

Error in_use()
{
    return {EBUSY, "snapshot: a thread is in the kernel"};
}

}  // namespace

Result<std::unique_ptr<SavedKernel>> SavedKernel::take(Machine& machine, Threads& threads,
                                                       Devices& devices)
{
    Devices::Change change(devices);
    if (auto checked = change.check_saveable(); !checked)
        return std::move(checked).error();
    const Hold hold(devices);
    Vcpu::Pause pause(machine.vcpu());
    if (!pause.holds())
        return in_use();
    if (auto rests = come_to_rest(pause, devices); !rests)
        return std::move(rests).error();

    std::unique_ptr<SavedKernel> saved(new SavedKernel(machine, threads, devices));
    auto device_state = change.save();
    if (!device_state)
        return std::move(device_state).error();
    saved->device_state_ = std::move(*device_state);
    auto memory = posix::MemorySnapshot::take(machine.space());
    if (!memory) {
        change.forget();
        return std::move(memory).error();
    }
    saved->memory_ = std::move(*memory);
    saved->thread_state_ = threads.save();
    saved->deadline_ = pause.deadline();
    return saved;
}

SavedKernel::~SavedKernel()
{
    if (memory_)
        Devices::Change(devices_).forget();
}

Result<size_t> SavedKernel::restore()
{
    Devices::Change change(devices_);
    if (!change.has_all(device_state_))
        return Error{ENODEV, "snapshot: a device that was there has been removed"};
    if (!threads_.has_all(thread_state_))
        return Error{ESRCH, "snapshot: a thread that had called the kernel has ended"};
    change.stop_later_ones(device_state_);
    const Hold hold(devices_);
    Vcpu::Pause pause(machine_.vcpu());
    if (!pause.holds())
        return in_use();
    // What is in flight, of a kernel that died, would be written over the memory later.
    drain(devices_);
    change.take_out_later_ones(device_state_);
    auto pages = memory_->restore();
    if (!pages)
        return pages;
    threads_.restore(thread_state_);
    change.restore(device_state_);
    machine_.forget_panic();
    pause.revive(deadline_);
    return pages;
}

}  // namespace lkl
