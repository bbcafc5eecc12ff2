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

#include <core/timekeeper.hpp>
#include <core/vcpu_lock.hpp>
#include <lkl/contract.h>
#include <platform/posix/clock.hpp>
#include <platform/posix/event_source.hpp>
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
    uint32_t tenure = 0;  // of its present thread; counts those that have ended
};

// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): never deleted as its base
class Vcpu final : private posix::EventSource::Watcher, private posix::Parker::Watch {
public:
    Vcpu() = default;
    Vcpu(const Vcpu&) = delete;
    Vcpu& operator=(const Vcpu&) = delete;
    ~Vcpu();

    // Before anything else: the kernel's side.
    void attach(const lkl_kernel_ops& kernel) noexcept;

    // Boots on the calling thread, and returns when process 1 runs (0), or with the
    // errno of what is missing: EIO when the kernel has died, ESHUTDOWN when it has
    // halted itself. Starts the background thread.
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

    // Watches a descriptor: a thread that waits for the idle kernel does so, else the
    // background thread. Any thread. The source must stay
    // until remove_source() has returned; then ready() is not running and will not run
    // again.
    void add_source(posix::EventSource* source);
    void remove_source(posix::EventSource* source);

    // Keeps everybody out of the kernel while it exists: for snapshots. The caller sees
    // to it that no thread is in a call, begins one or ends.
    class Pause {
    public:
        explicit Pause(Vcpu& vcpu) noexcept;
        ~Pause();
        Pause(const Pause&) = delete;
        Pause& operator=(const Pause&) = delete;

        // False: some thread is in the kernel still.
        bool holds() const noexcept { return holds_; }
        // Lets the kernel do what it has to do, until it is idle with no interrupt
        // pending. False: it is dead.
        bool settle() noexcept;
        bool interrupted() const noexcept;
        uint64_t deadline() const noexcept { return vcpu_.deadline_.load(); }
        // The kernel's memory has become what it was in a pause when deadline() was
        // that: it lives, even if it had died since.
        void revive(uint64_t deadline) noexcept;

    private:
        Vcpu& vcpu_;
        const std::lock_guard<std::mutex> background_;
        bool holds_ = false;
    };

    // Host operations of the contract, called by the carrier.
    void timer_arm(uint64_t deadline) noexcept;
    void thread_done(HostThread& thread) noexcept { thread.parker.post(done); }
    void booted() noexcept { booted_ = true; }
    bool has_booted() const noexcept { return booted_; }
    void died(lkl_death why) noexcept;

private:
    // Threads whose requests are complete, and who do not know it yet.
    class Done;

    // Messages to a parked thread.
    static constexpr uint32_t done = 1;   // its request is complete
    static constexpr uint32_t enter = 2;  // an interrupt needs a carrier
    static constexpr uint32_t ended = 4;  // the kernel is dead

    bool let_go(HostThread* carrier) noexcept;
    long take_interrupts(HostThread* carrier) noexcept;
    void release(HostThread* carrier) noexcept;
    void hand_over(HostThread* carrier) noexcept;
    void forget(uint64_t deadline) noexcept;
    void kick() noexcept;
    void look_again() noexcept override;
    bool takes_over() const noexcept override;
    uint64_t idle_times() const noexcept override { return idle_times_; }
    void serve_pending() noexcept;
    // The watch.
    int wake_fd() const noexcept override { return watch_fd_; }
    bool poll(uint64_t deadline) noexcept override;
    void serve() noexcept override;
    uint32_t wait_watching(HostThread& thread, uint64_t deadline) noexcept;
    enum class Duty : uint8_t { sources, soon, none };
    Duty background_duty() noexcept;
    long dead_result() const noexcept;
    void enlist(HostThread& thread) noexcept;
    long carry(HostThread& thread, long reason) noexcept;
    long park(HostThread& thread, bool idle) noexcept;
    int start_background();
    void background() noexcept;
    void wait_for_events(uint64_t deadline, std::unique_lock<std::mutex>& working) noexcept;

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

    std::atomic<bool> dead_{false};  // cleared by Pause alone
    std::atomic<bool> stop_{false};
    lkl_death death_ = LKL_DEATH_HALT;  // before dead_
    bool booted_ = false;               // the carrier's
    uint64_t idle_times_ = 0;           // the carrier's

    // The timer while the background thread is in the kernel.
    Timekeeper keeper_{deadline_, [this](uint64_t deadline) {
                           raise(LKL_IRQ_TIMER);
                           forget(deadline);
                       }};

    std::thread thread_;
    std::mutex background_mutex_;  // the background thread's, whenever it does not sleep
    int wake_fd_ = -1;
    std::atomic<bool> wake_sent_{false};

    std::atomic<uint32_t> telling_{0};  // lists of Done that have not been gone through

    std::mutex parked_mutex_;  // who has to be told of the end
    std::vector<HostThread*> parked_;

    std::mutex sources_mutex_;
    std::vector<posix::EventSource*> sources_;
    std::atomic<bool> has_sources_{false};

    // Who looks after the sources. A thread that waits with the kernel idle takes the
    // watch, one at a time, and the background thread keeps away from them, so that an
    // event wakes one thread: the one that most probably waits for it. The background
    // thread is back a little after the last watch has ended, without being told; only
    // when it has gone to sleep because a watch went on and on (`away_`) is it woken at
    // its end. seq_cst: it stores away_, then loads watching_; the watch stores watching_,
    // then loads away_.
    std::atomic<bool> watching_{false};
    std::atomic<uint64_t> watches_{0};  // that have begun
    std::atomic<bool> away_{false};
    std::atomic<bool> asked_{false};  // to look again, and has not yet
    uint64_t watches_seen_ = 0;       // the background thread's
    int watch_fd_ = -1;

    // Sources as they were listed for one poll(2).
    class Poll {
    public:
        explicit Poll(Vcpu& vcpu) : vcpu_(vcpu) {}
        // Lists the descriptors of all sources behind `wake_fd`, or none of them.
        void prepare(int wake_fd, bool with_sources);
        // Until the deadline. True: something has happened, or is pending.
        bool wait(uint64_t deadline) noexcept;
        bool woken() const noexcept { return fds_[0].revents != 0; }
        void serve() noexcept;

    private:
        Vcpu& vcpu_;
        std::vector<pollfd> fds_;
        std::vector<posix::EventSource*> listed_;
        bool pending_ = false;
    };
    Poll watch_poll_{*this};       // the watch's
    Poll background_poll_{*this};  // the background thread's
};

}  // namespace lkl
