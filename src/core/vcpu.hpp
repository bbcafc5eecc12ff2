// SPDX-License-Identifier: GPL-2.0-only
// The virtual CPU as the host sees it: who may run kernel code, who waits, and
// who is told.
//
// VcpuLock says who holds it. raise() sets a bit of lkl_vcpu.pending and rings; if
// nobody holds the vCPU, somebody is sent in who takes the interrupts.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <core/vcpu_lock.hpp>
#include <lkl/contract.h>
#include <platform/posix/clock.hpp>
#include <platform/posix/parker.hpp>

namespace lkl {

// One application thread as one kernel sees it, both sides of it. The kernel
// knows `shared` alone, and its address is the address of the whole.
struct HostThread {
    lkl_thread shared{};
    posix::Parker parker;
    VcpuLock::Holder holder;

    // How many calls the thread is in: more than one when a signal handler that
    // runs at the end of a call makes another. The thread's own, but for the
    // kernel's destruction, which waits for 0.
    std::atomic<uint32_t> depth{0};
    std::atomic<uint64_t> calls{0};  // that have ended; written by the thread alone
    HostThread* next_free = nullptr;
};

// Watches something of the host on behalf of the kernel, from the background
// thread: descriptors that become readable.
class EventSource {
public:
    // Constant; -1 to be left out.
    virtual int poll_fd() const noexcept = 0;
    // Called without the vCPU when the descriptor is readable.
    virtual void ready() noexcept = 0;

protected:
    ~EventSource() = default;
};

class Vcpu {
public:
    Vcpu() = default;
    Vcpu(const Vcpu&) = delete;
    Vcpu& operator=(const Vcpu&) = delete;
    ~Vcpu();

    // Before anything else: the kernel's side.
    void attach(const lkl_kernel_ops& kernel) noexcept;

    // Boots on the calling thread, and returns when process 1 runs (0), or with the
    // errno of what is missing: EIO when the kernel has died. Starts the background
    // thread.
    int boot(HostThread& thread);

    // Runs thread.shared.request to its completion on the calling thread, whose
    // home it is. Returns thread.shared.ret, or -ESHUTDOWN or -EIO when the
    // kernel has ended (halted, panicked).
    long run_request(HostThread& thread) noexcept;

    // Any thread; never blocks.
    void raise(unsigned irq) noexcept;

    // Stops the background thread. The kernel is dead, or was never booted.
    void stop() noexcept;

    bool dead() const noexcept { return dead_.load(std::memory_order_acquire); }

    // Any thread. The source must stay until remove_source() has returned; then
    // ready() is not running and will not run again.
    void add_source(EventSource* source);
    void remove_source(EventSource* source);

    // Host operations of the contract, called by the carrier.
    void timer_arm(uint64_t deadline) noexcept;
    void thread_done(HostThread& thread) noexcept { thread.parker.post(done); }
    void booted() noexcept { booted_ = true; }
    void died(lkl_death why) noexcept;

private:
    // Threads whose requests are complete, and who do not know it yet.
    class Done;

    // Messages to a parked thread.
    static constexpr uint32_t done = 1;   // its request is complete
    static constexpr uint32_t enter = 2;  // an interrupt needs a carrier
    static constexpr uint32_t ended = 4;  // the kernel is dead

    bool let_go(HostThread* carrier) noexcept;
    void release(HostThread* carrier) noexcept;
    void hand_over(HostThread* carrier) noexcept;
    void kick() noexcept;
    long dead_result() const noexcept;
    void enlist(HostThread& thread) noexcept;
    long carry(HostThread& thread, long reason) noexcept;
    long park(HostThread& thread, bool idle) noexcept;
    void background() noexcept;
    void wait_for_events(uint64_t deadline) noexcept;

    lkl_kernel_ops kernel_{};
    lkl_vcpu* vcpu_ = nullptr;
    VcpuLock lock_;

    // The thread that went to sleep with the vCPU idle; raise() takes it. Its
    // memory stays as long as this object, so a late post harms nobody.
    std::atomic<HostThread*> idle_{nullptr};

    // The kernel's deadline, and the one until which the background thread sleeps.
    // Written by the carrier and by the background thread respectively; a carrier
    // that sets an earlier deadline kicks the background thread, which then reads
    // it anew. Both are seq_cst: timer_arm() stores deadline_, loads asleep_until_;
    // the background thread stores asleep_until_, loads deadline_.
    std::atomic<uint64_t> deadline_{posix::never};
    std::atomic<uint64_t> asleep_until_{posix::never};

    std::atomic<bool> dead_{false};
    std::atomic<bool> stop_{false};
    lkl_death death_ = LKL_DEATH_HALT;  // before dead_
    bool booted_ = false;               // the carrier's

    std::thread thread_;
    int wake_fd_ = -1;
    std::atomic<bool> wake_sent_{false};

    std::mutex parked_mutex_;  // who has to be told of the end
    std::vector<HostThread*> parked_;

    std::mutex sources_mutex_;
    std::vector<EventSource*> sources_;
    std::atomic<uint64_t> sources_version_{0};
};

}  // namespace lkl
