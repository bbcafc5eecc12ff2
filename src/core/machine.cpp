// SPDX-License-Identifier: GPL-2.0-only
#include <core/machine.hpp>

#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/mman.h>
#include <sys/random.h>

#include <platform/posix/clock.hpp>
#include <platform/posix/mappings.hpp>
#include <platform/posix/thread_sanitizer.hpp>

namespace lkl {

namespace {

Machine& self(void* host)
{
    return *static_cast<Machine*>(host);
}

}  // namespace

// The operations of the contract. They run on a kernel stack, with the vCPU held.
lkl_host_ops Machine::host_operations() noexcept
{
    lkl_host_ops ops{};
    ops.version = LKL_CONTRACT_VERSION;
    ops.size = sizeof ops;
    ops.host = this;
    if (log_) {
        ops.print = [](void* host, const char* text, unsigned long length) {
            self(host).log_(std::string_view(text, length));
        };
    }
    ops.clock_monotonic = [](void*) -> unsigned long { return posix::monotonic_now(); };
    ops.clock_realtime = [](void*) -> unsigned long { return posix::realtime_now(); };
    ops.timer_arm = [](void* host, unsigned long deadline) {
        self(host).vcpu_.timer_arm(deadline);
    };
    ops.map = [](void* host, unsigned long va, unsigned long pa, unsigned long length,
                 unsigned prot) {
        int protection = 0;
        protection |= (prot & LKL_MAP_READ) ? PROT_READ : 0;
        protection |= (prot & LKL_MAP_WRITE) ? PROT_WRITE : 0;
        protection |= (prot & LKL_MAP_EXEC) ? PROT_EXEC : 0;
        return self(host).space_.map(va, pa, length, protection);
    };
    ops.unmap = [](void* host, unsigned long va, unsigned long length) {
        self(host).space_.unmap(va, length);
    };
    ops.shadow = [](void* host, unsigned long va, unsigned long length, unsigned long own,
                    unsigned long own_length) {
        return self(host).space_.shadow(va, length, own, own_length);
    };
    ops.prepare = [](void* host, unsigned long pa, unsigned long length) {
        return self(host).prepare(pa, length);
    };
    ops.discard = [](void* host, unsigned long pa, unsigned long length) {
        self(host).space_.discard(pa, length);
    };
    ops.mmio_read = [](void* host, unsigned long address, unsigned size) -> unsigned long {
        uint64_t offset = 0;
        virtio::Mmio* device = self(host).device_at(address, &offset);
        return device ? device->read(offset, size) : 0;
    };
    ops.mmio_write = [](void* host, unsigned long address, unsigned long value, unsigned size) {
        uint64_t offset = 0;
        if (virtio::Mmio* device = self(host).device_at(address, &offset))
            device->write(offset, value, size);
    };
    ops.random = [](void*, void* buffer, unsigned long length) {
        auto* at = static_cast<char*>(buffer);
        while (length) {
            const ssize_t n = ::getrandom(at, length, 0);
            if (n <= 0)
                continue;
            at += n;
            length -= static_cast<unsigned long>(n);
        }
    };
    ops.thread_done = [](void* host, lkl_thread* thread) {
        posix::got_from_kernel(thread);
        self(host).vcpu_.thread_done(*reinterpret_cast<HostThread*>(thread));
    };
    ops.booted = [](void* host) { self(host).vcpu_.booted(); };
    ops.dead = [](void* host, lkl_death why, const char* text, unsigned long length) {
        if (why == LKL_DEATH_PANIC) {
            std::lock_guard lock(self(host).panic_mutex_);
            self(host).panic_.assign(text, length);
        }
        self(host).vcpu_.died(why);
    };
    if (posix::StackObserver::wanted())
        ops.fiber_switch = fiber_switch;
    return ops;
}

// A function with a name, for the attribute; see StackObserver::switched().
__attribute__((no_sanitize("address"))) void Machine::fiber_switch(void* host, unsigned long stack)
{
    static_cast<Machine*>(host)->stacks_.switched(stack, LKL_STACK_SIZE);
}

Result<std::unique_ptr<Machine>> Machine::create(const Image& image, uint64_t memory,
                                                 const std::string& command_line, Log log)
{
    std::unique_ptr<Machine> machine(new Machine);
    machine->command_line_ = command_line;
    machine->log_ = std::move(log);

    auto space = posix::AddressSpace::create(image.size(), memory);
    if (!space)
        return std::move(space).error();
    machine->space_ = std::move(*space);
    const bool large_pages = machine->space_.pages_are_costly();
    if (auto loaded = image.load(machine->space_.image(), large_pages); !loaded)
        return std::move(loaded).error();

    for (unsigned slot = 0; slot < slots; ++slot) {
        machine->lines_[slot].vcpu = &machine->vcpu_;
        machine->lines_[slot].number = irq(slot);
    }

    const lkl_host_ops host = machine->host_operations();
    lkl_boot_info info{};
    info.size = sizeof info;
    info.image_base = machine->space_.image();
    info.memory_start = machine->space_.memory();
    info.memory_end = machine->space_.memory_end();
    info.vmalloc_start = machine->space_.vmalloc_start();
    info.vmalloc_end = machine->space_.vmalloc_end();
    info.user_start = machine->space_.user_start();
    info.user_end = machine->space_.user_end();
    info.command_line = machine->command_line_.c_str();
    machine->kernel_.size = sizeof machine->kernel_;
    if (image.entry(info.image_base)(&host, &info, &machine->kernel_) != 0 ||
        machine->kernel_.version != LKL_CONTRACT_VERSION)
        return Error{ENOEXEC,
                     "kernel image " + image.path() + ": made for another version of the library"};
    machine->vcpu_.attach(machine->kernel_);
    return machine;
}

Machine::~Machine()
{
    vcpu_.stop();
}

// Of each block a kernel that boots uses about half: where a page costs little, it gets
// pages, and has the smaller memory.
int Machine::prepare(uint64_t physical, uint64_t length) noexcept
{
    if (!vcpu_.has_booted() && !space_.pages_are_costly())
        return 1;
    return space_.prepare(physical, length);
}

virtio::GuestMemory Machine::memory() const
{
    return {posix::pointer(space_.image()), space_.memory_end() - space_.image()};
}

virtio::Mmio* Machine::device_at(uint64_t address, uint64_t* offset) const noexcept
{
    if (address < DeviceWindow::base)
        return nullptr;
    const uint64_t slot = (address - DeviceWindow::base) / DeviceWindow::stride;
    *offset = address % DeviceWindow::stride;
    return slot < slots ? bus_[slot].load(std::memory_order_acquire) : nullptr;
}

void Machine::forget_panic()
{
    std::lock_guard lock(panic_mutex_);
    panic_.clear();
}

std::string Machine::panic_message() const
{
    std::lock_guard lock(panic_mutex_);
    return panic_;
}

}  // namespace lkl
