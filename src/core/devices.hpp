// SPDX-License-Identifier: GPL-2.0-only
// The virtio devices of a running kernel.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <core/machine.hpp>
#include <lkl/result.hpp>
#include <virtio/device.hpp>
#include <virtio/mmio.hpp>

namespace lkl {

// virtio::Device::id()
constexpr uint32_t net_kind = 1;
constexpr uint32_t disk_kind = 2;

// A device with everything that serves it, taken apart from top to bottom.
class PluggedDevice {
public:
    PluggedDevice(Machine& machine, std::unique_ptr<virtio::Device> device, unsigned slot);
    ~PluggedDevice();
    PluggedDevice(const PluggedDevice&) = delete;
    PluggedDevice& operator=(const PluggedDevice&) = delete;

    virtio::Device& device() noexcept { return *device_; }
    std::string describe() const;  // "disk 0"
    // The driver has gone: waits for requests in flight, and until what was written is on
    // stable storage. The error of that.
    Result<void> finish();
    virtio::Mmio& transport() noexcept { return transport_; }
    unsigned slot() const noexcept { return slot_; }

    long kernel_id = -1;  // the kernel's name for it
    int index = -1;       // the program's
    uint64_t serial = 0;  // never used twice

private:
    Machine& machine_;
    const unsigned slot_;
    const std::unique_ptr<virtio::Device> device_;
    virtio::Mmio transport_;
};

// Thread safe. One change at a time: Change holds it for a while.
class Devices {
public:
    using Call = std::function<long(long number, const long* args)>;

    Devices(Machine& machine, Call call) : machine_(machine), call_(std::move(call)) {}

    // What all devices are at a moment.
    struct State {
        struct One {
            uint64_t serial;
            std::unique_ptr<virtio::Mmio::State> state;
        };
        std::vector<One> devices;  // by serial number
    };

    class Change {
    public:
        explicit Change(Devices& devices) : lock_(devices.change_mutex_), devices_(devices) {}

        // Makes the device known to the kernel, and waits for its driver. `number` is
        // the device number of a disk, or 0. `what`: for error texts, "adding a disk".
        // Errors: ENOSPC (no interrupt line), and the kernel's.
        Result<PluggedDevice*> add(std::unique_ptr<virtio::Device> device, const char* what,
                                   uint64_t& number);
        // The kernel's error: it has the device still. EIO: what was written is not on
        // stable storage, and the device is gone all the same.
        Result<void> remove(PluggedDevice& device, const char* what);

        // Null: there is none of that kind (virtio::Device::id()) and index.
        PluggedDevice* find(uint32_t kind, int index) noexcept;
        // The kernel is dead: ends what serves all devices. EIO as above.
        Result<void> clear();

        // For snapshots, at any time: whether there is a device that can never be put
        // back. Error: EOPNOTSUPP.
        Result<void> check_saveable() const;
        // While nobody runs the kernel and no request is in flight. Error: EOPNOTSUPP, a
        // device that cannot be put back.
        Result<State> save();
        // Whether all devices of a state are here still.
        bool has_all(const State& state) const;
        // Ends what devices that were added since do, while the kernel may run still: one
        // that receives packets all the time would let it have no rest.
        void stop_later_ones(const State& state) noexcept;
        // Takes out the devices that were added since, before the memory is put back:
        // they have buffers there, which the kernel will not know.
        void take_out_later_ones(const State& state) noexcept;
        // What is left is as it was, once the memory is.
        void restore(const State& state) noexcept;
        // The state is not needed any more.
        void forget() noexcept;

    private:
        Result<void> take_out(const PluggedDevice& device);

        const std::lock_guard<std::mutex> lock_;
        Devices& devices_;
    };

    // For each device, without waiting for changes under way.
    void for_each(const std::function<void(virtio::Device&)>& function);

private:
    Machine& machine_;
    const Call call_;
    std::mutex change_mutex_;
    // The list itself; never held while the kernel is called.
    std::mutex list_mutex_;
    std::vector<std::unique_ptr<PluggedDevice>> list_;  // by serial number
    uint64_t next_serial_ = 0;
};

}  // namespace lkl
