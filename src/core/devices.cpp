// SPDX-License-Identifier: GPL-2.0-only
#include <core/devices.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <core/system_calls.hpp>

namespace lkl {

PluggedDevice::PluggedDevice(Machine& machine, std::unique_ptr<virtio::Device> device,
                             unsigned slot)
    : machine_(machine),
      slot_(slot),
      device_(std::move(device)),
      transport_(*device_, machine.line(slot))
{
    machine.plug(slot, &transport_);
    for (posix::EventSource* source : device_->sources()) {
        if (source->poll_fd() >= 0)
            machine.vcpu().add_source(source);
    }
}

PluggedDevice::~PluggedDevice()
{
    transport_.reset();
    for (posix::EventSource* source : device_->sources()) {
        if (source->poll_fd() >= 0)
            machine_.vcpu().remove_source(source);
    }
    machine_.plug(slot_, nullptr);
}

std::string PluggedDevice::describe() const
{
    switch (device_->id()) {
    case net_kind:
        return "network interface " + std::to_string(index);
    case disk_kind:
        return "disk " + std::to_string(index);
    default:
        return "a device";
    }
}

Result<void> PluggedDevice::finish()
{
    transport_.reset();
    const int result = device_->flush();
    if (result == 0)
        return {};
    return Error{
        EIO, describe() + ": what was written is not on stable storage: " + std::strerror(-result)};
}

Result<PluggedDevice*> Devices::Change::add(std::unique_ptr<virtio::Device> device,
                                            const char* what, uint64_t& number)
{
    const auto& list = devices_.list_;
    unsigned slot = 0;
    while (std::any_of(list.begin(), list.end(),
                       [slot](const auto& one) { return one->slot() == slot; }))
        ++slot;
    if (slot >= Machine::slots)
        return Error{ENOSPC, std::string(what) + ": no interrupt line is left"};

    auto owned = std::make_unique<PluggedDevice>(devices_.machine_, std::move(device), slot);
    PluggedDevice* const plugged = owned.get();
    plugged->serial = devices_.next_serial_++;
    {
        const std::lock_guard lock(devices_.list_mutex_);
        devices_.list_.push_back(std::move(owned));
    }
    const uint64_t base = DeviceWindow::base + slot * DeviceWindow::stride;
    number = 0;
    const long args[6] = {static_cast<long>(base), static_cast<long>(virtio::Mmio::window),
                          static_cast<long>(Machine::irq(slot)), reinterpret_cast<long>(&number)};
    plugged->kernel_id = devices_.call_(nr_device_add, args);
    if (const long result = plugged->kernel_id; result < 0) {
        (void)take_out(*plugged);
        return system_error(result, what);
    }
    return plugged;
}

Result<void> Devices::Change::remove(PluggedDevice& device, const char* what)
{
    const long args[6] = {device.kernel_id};
    const long result = devices_.call_(nr_device_remove, args);
    // A kernel that has ended does not hold on to anything.
    if (result < 0 && result != -ESHUTDOWN && result != -EIO)
        return system_error(result, what);
    auto finished = take_out(device);
    if (!finished)
        return Error{finished.error().code, std::string(what) + ": " + finished.error().what};
    return {};
}

// Ends what serves the device, which waits for requests in flight.
Result<void> Devices::Change::take_out(const PluggedDevice& device)
{
    std::unique_ptr<PluggedDevice> gone;
    {
        const std::lock_guard lock(devices_.list_mutex_);
        auto& list = devices_.list_;
        const auto found = std::find_if(
            list.begin(), list.end(), [&device](const auto& one) { return one.get() == &device; });
        gone = std::move(*found);
        list.erase(found);
    }
    return gone->finish();
}

PluggedDevice* Devices::Change::find(uint32_t kind, int index) noexcept
{
    for (const auto& one : devices_.list_) {
        if (one->device().id() == kind && one->index == index)
            return one.get();
    }
    return nullptr;
}

Result<void> Devices::Change::clear()
{
    std::vector<std::unique_ptr<PluggedDevice>> gone;
    {
        const std::lock_guard lock(devices_.list_mutex_);
        gone.swap(devices_.list_);
    }
    Result<void> result;
    for (const auto& device : gone) {
        auto finished = device->finish();
        if (result && !finished)
            result = std::move(finished);
    }
    return result;
}

namespace {

Error cannot_be_put_back(const PluggedDevice& device)
{
    return {EOPNOTSUPP, "snapshot: " + device.describe() + " cannot be put back"};
}

}  // namespace

Result<void> Devices::Change::check_saveable() const
{
    for (const auto& one : devices_.list_) {
        if (!one->device().saveable())
            return cannot_be_put_back(*one);
    }
    return {};
}

Result<Devices::State> Devices::Change::save()
{
    State state;
    for (const auto& one : devices_.list_) {
        auto saved = one->transport().save();
        if (!saved) {
            forget();
            return cannot_be_put_back(*one);
        }
        state.devices.push_back({one->serial, std::move(saved)});
    }
    return state;
}

bool Devices::Change::has_all(const State& state) const
{
    const auto& list = devices_.list_;
    return std::all_of(
        state.devices.begin(), state.devices.end(), [&list](const State::One& saved) {
            return std::any_of(list.begin(), list.end(),
                               [&saved](const auto& one) { return one->serial == saved.serial; });
        });
}

// Both lists are in the order of serial numbers, and what is not in the state came later.
void Devices::Change::stop_later_ones(const State& state) noexcept
{
    const auto& list = devices_.list_;
    for (size_t i = state.devices.size(); i < list.size(); ++i)
        list[i]->transport().reset();
}

void Devices::Change::take_out_later_ones(const State& state) noexcept
{
    while (devices_.list_.size() > state.devices.size())
        (void)take_out(*devices_.list_.back());  // who wrote there is undone, too
}

void Devices::Change::restore(const State& state) noexcept
{
    const auto& list = devices_.list_;
    for (size_t i = 0; i < list.size(); ++i)
        list[i]->transport().restore(*state.devices[i].state);
}

void Devices::Change::forget() noexcept
{
    for (const auto& one : devices_.list_)
        one->device().forget();
}

void Devices::for_each(const std::function<void(virtio::Device&)>& function)
{
    const std::lock_guard lock(list_mutex_);
    for (const auto& one : list_)
        function(one->device());
}

}  // namespace lkl
