// SPDX-License-Identifier: GPL-2.0-only
// The virtio-mmio transport, version 2 (VIRTIO 1.2, section 4.2).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include <virtio/device.hpp>

namespace lkl::virtio {

// Mistakes of the driver, counted; none of them harms the host.
struct MmioErrors {
    uint64_t access = 0;    // of a bad size, alignment or offset
    uint64_t order = 0;     // right register, wrong time: features after FEATURES_OK, ...
    uint64_t features = 0;  // a set of features that was refused
    uint64_t queues = 0;    // a queue that could not be enabled
    uint64_t resets = 0;    // how often the device asked for a reset
};

// One device's registers. The device and the line outlive the transport; the
// device is attached to it at construction, and reset by the destructor: nothing
// is in flight afterwards.
//
// Threads: any number may call read(), write() and errors() at the same time. A
// write that resets the device or a queue, or turns a disk's cache off, waits until the
// host has finished the requests in flight; no other access waits for more than a lock.
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): final, never deleted as its base
class Mmio final : private Notifier {
public:
    // Bytes of the register window.
    static constexpr uint64_t window = 0x200;

    // What the driver reads as vendor: "LKL".
    static constexpr uint32_t vendor = 0x004c4b4c;

    Mmio(Device& device, IrqLine& line);
    ~Mmio();
    Mmio(const Mmio&) = delete;
    Mmio& operator=(const Mmio&) = delete;

    // Access to `size` (1, 2, 4, 8) bytes at `offset` of the window. A bad access
    // reads as 0 or is ignored, and is counted.
    uint64_t read(uint64_t offset, unsigned size) noexcept;
    void write(uint64_t offset, uint64_t value, unsigned size) noexcept;

    // Resets the device as the driver's writing of 0 to the status does: nothing
    // is in flight afterwards.
    void reset() noexcept;

    MmioErrors errors() const noexcept;

private:
    struct QueueRegisters {
        QueueLayout layout;
        bool ready = false;
    };
    // What the driver has written, apart from the status.
    struct Registers {
        std::vector<QueueRegisters> queues;
        uint64_t accepted = 0;
        uint32_t device_features_select = 0;
        uint32_t driver_features_select = 0;
        uint32_t queue_select = 0;
    };

public:
    // For snapshots: registers and device, while no buffer is in use and nobody runs
    // the kernel. Null: the device cannot be put back.
    struct State {
        uint32_t status, interrupts, generation;
        Registers registers;
        std::unique_ptr<DeviceState> device;
    };
    std::unique_ptr<State> save();
    void restore(const State& state) noexcept;

private:
    void used_buffers() noexcept override { interrupt(interrupt_used); }
    void config_changed() noexcept override;
    void needs_reset() noexcept override;

    static constexpr uint32_t interrupt_used = 1;
    static constexpr uint32_t interrupt_config = 2;
    void interrupt(uint32_t cause) noexcept;
    void acknowledge(uint32_t causes) noexcept;

    uint32_t read_register(uint64_t offset) noexcept;
    void write_register(uint64_t offset, uint32_t value) noexcept;
    void write_queue_register(uint64_t offset, uint32_t value) noexcept;
    void set_status(uint32_t value) noexcept;
    bool accept_features() noexcept;
    void set_queue_ready(bool ready) noexcept;
    void reset_locked() noexcept;
    QueueRegisters* selected() noexcept;

    Device& device_;
    IrqLine& line_;
    const uint64_t offered_;
    const uint16_t queue_size_max_;

    // Atomic, because devices change them with their own locks held, under which
    // mutex_ must not be taken (the transport calls devices with mutex_ held).
    std::atomic<uint32_t> status_{0};
    std::atomic<uint32_t> interrupts_{0};
    std::atomic<uint32_t> generation_{0};
    std::atomic<uint64_t> resets_{0};

    mutable std::mutex mutex_;  // everything below
    Registers registers_;
    MmioErrors errors_;
};

}  // namespace lkl::virtio
