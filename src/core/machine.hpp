// SPDX-License-Identifier: GPL-2.0-only
// Machine: one loaded kernel image with its memory, virtual CPU and devices.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <core/image.hpp>
#include <core/vcpu.hpp>
#include <lkl/contract.h>
#include <lkl/result.hpp>
#include <platform/posix/address_space.hpp>
#include <platform/posix/fault_handler.hpp>
#include <platform/posix/stack_observer.hpp>
#include <virtio/memory.hpp>
#include <virtio/mmio.hpp>

namespace lkl {

// Where devices appear in the kernel's physical addresses: far behind any memory.
struct DeviceWindow {
    static constexpr uint64_t base = 1ull << 46;
    static constexpr uint64_t stride = 4096;
};

class Machine {
public:
    using Log = std::function<void(std::string_view)>;

    // Maps and relocates the image. Errors: as Image and AddressSpace.
    static Result<std::unique_ptr<Machine>> create(const Image& image, uint64_t memory,
                                                   const std::string& command_line, Log log);
    ~Machine();
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    Vcpu& vcpu() { return vcpu_; }
    virtio::GuestMemory memory() const;

    // The line of a device slot.
    virtio::IrqLine& line(unsigned slot) { return lines_[slot]; }
    static constexpr unsigned irq(unsigned slot) { return LKL_IRQ_DEVICE_FIRST + slot; }
    static constexpr unsigned slots = LKL_NR_IRQS - LKL_IRQ_DEVICE_FIRST;

    // Makes a transport answer at a slot, or (null) no longer. The kernel has no
    // driver bound to it at that time.
    void plug(unsigned slot, virtio::Mmio* transport) { bus_[slot].store(transport); }

    // What the kernel said last, after a panic.
    std::string panic_message() const;

    // For snapshots, while nobody runs the kernel.
    posix::AddressSpace& space() noexcept { return space_; }
    void forget_panic();

    // The kernel is dead and nobody is in it: its memory goes back to the host.
    void release_memory() noexcept { space_.release_memory(); }

    // For the handler of faults in the image's code.
    posix::FaultHandler::Code code() const
    {
        return {space_.image(), space_.memory(), kernel_.fixup, kernel_.oops};
    }

private:
    // NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): never deleted as its base
    struct Line final : virtio::IrqLine {
        void raise() noexcept override { vcpu->raise(number); }
        Vcpu* vcpu = nullptr;
        unsigned number = 0;
    };

    Machine() = default;
    int prepare(uint64_t physical, uint64_t length) noexcept;
    lkl_host_ops host_operations() noexcept;
    static void fiber_switch(void* host, unsigned long stack);
    virtio::Mmio* device_at(uint64_t address, uint64_t* offset) const noexcept;

    posix::AddressSpace space_;
    std::string command_line_;
    Log log_;
    lkl_kernel_ops kernel_{};
    std::array<std::atomic<virtio::Mmio*>, slots> bus_{};
    std::array<Line, slots> lines_{};
    posix::StackObserver stacks_;
    mutable std::mutex panic_mutex_;
    std::string panic_;
    Vcpu vcpu_;  // last: its thread uses everything above
};

}  // namespace lkl
