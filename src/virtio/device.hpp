// SPDX-License-Identifier: GPL-2.0-only
// What a virtio device is to its transport, and the transport to its device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <platform/posix/event_source.hpp>
#include <virtio/queue.hpp>

namespace lkl::virtio {

// Feature bits of the queues and the transport (VIRTIO 1.2, section 6).
constexpr uint64_t feature_indirect = 1ull << 28;
constexpr uint64_t feature_event_index = 1ull << 29;
constexpr uint64_t feature_version_1 = 1ull << 32;
constexpr uint64_t feature_ring_reset = 1ull << 40;

// An interrupt line of a virtual CPU, edge triggered: raise() makes the handler
// run once more. Called by any thread, with locks held; never blocks, never
// calls back.
class IrqLine {
public:
    virtual void raise() noexcept = 0;

protected:
    ~IrqLine() = default;
};

// What a device tells its driver. Called by any thread, with the device's locks
// held; never blocks, never calls back.
class Notifier {
public:
    virtual void used_buffers() noexcept = 0;
    virtual void config_changed() noexcept = 0;
    // The driver did something after which the device cannot go on.
    virtual void needs_reset() noexcept = 0;

protected:
    ~Notifier() = default;
};

// What a device is at a moment when none of its buffers is in use, for snapshots.
class DeviceState {
public:
    virtual ~DeviceState() = default;
};

// A device model. The transport calls everything but notify() with a lock of its
// own held, so one at a time; notify() may run beside any of them.
class Device {
public:
    virtual ~Device() = default;

    // Constant while the device exists.
    virtual uint32_t id() const noexcept = 0;        // VIRTIO 1.2, section 5
    virtual uint64_t features() const noexcept = 0;  // without those of the transport
    virtual uint16_t queue_count() const noexcept = 0;
    virtual uint16_t queue_size_max() const noexcept = 0;  // a power of two

    // What of the host is to be watched for it, as long as it exists.
    virtual std::vector<posix::EventSource*> sources() noexcept { return {}; }

    // Before the first of the functions below.
    virtual void attach(Notifier& notifier) noexcept = 0;

    // The features that both sides agreed on. False: not a sensible set.
    virtual bool set_features(uint64_t features) noexcept = 0;

    // Device configuration space. Reads past its end give zeroes, writes there and
    // to fields that cannot be written are ignored.
    virtual void read_config(uint64_t offset, std::span<std::byte> to) noexcept = 0;
    virtual void write_config(uint64_t offset, std::span<const std::byte> from) noexcept = 0;

    // False: the layout is bad, or the host is out of memory.
    virtual bool enable_queue(uint16_t index, const QueueLayout& layout) noexcept = 0;
    // Stops the queue and waits until none of its buffers is in use.
    virtual void disable_queue(uint16_t index) noexcept = 0;

    // The driver is ready (DRIVER_OK): buffers may be used from here on.
    virtual void start() noexcept = 0;
    // There may be new buffers in the queue; ignored unless started and enabled.
    virtual void notify(uint16_t index) noexcept = 0;
    // Back to the state after construction; waits as disable_queue() does.
    virtual void reset() noexcept = 0;
    // Waits until what it has stored is on stable storage. 0, or a negative errno. Also by
    // who takes the device out, when the driver has gone.
    virtual int flush() noexcept { return 0; }

    // Between the two, nothing that comes from outside by itself gets into the kernel's
    // memory; what comes waits, or is lost. Any thread, not nested.
    virtual void hold() noexcept {}
    virtual void release() noexcept {}
    // Waits until no buffer is in use, as far as that depends on the host.
    virtual void drain() noexcept {}
    // Whether save() may work. Constant.
    virtual bool saveable() const noexcept { return false; }
    // While it is held, no buffer is in use, and nobody runs the kernel. Null: the device
    // cannot be put back. What it stores comes back too, until forget().
    virtual std::unique_ptr<DeviceState> save() { return nullptr; }
    virtual void restore(const DeviceState&) noexcept {}
    virtual void forget() noexcept {}
};

}  // namespace lkl::virtio
