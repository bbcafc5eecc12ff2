// SPDX-License-Identifier: GPL-2.0-only
// Which HostThread belongs to the calling thread, per kernel.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include <core/vcpu.hpp>
#include <platform/posix/fences.hpp>

namespace lkl {

// The thread is in a call of the kernel, so that whoever ends the kernel waits for it:
// the partner is the heavy fence in Kernel::Impl::wait_for_calls(). After the light
// fence either the end of the kernel is seen, or the call is waited for. The last
// access is to the HostThread, which outlives the kernel's memory.
class InsideCall {
public:
    explicit InsideCall(HostThread& thread) noexcept : thread_(thread)
    {
        thread_.depth.store(thread_.depth.load(std::memory_order_relaxed) + 1,
                            std::memory_order_relaxed);
        posix::light_fence();
    }
    ~InsideCall()
    {
        thread_.calls.store(thread_.calls.load(std::memory_order_relaxed) + 1,
                            std::memory_order_relaxed);
        thread_.depth.store(thread_.depth.load(std::memory_order_relaxed) - 1,
                            std::memory_order_release);
    }
    InsideCall(const InsideCall&) = delete;
    InsideCall& operator=(const InsideCall&) = delete;

private:
    HostThread& thread_;
};

// The host threads of one kernel. A thread gets its HostThread with its first
// call; when the host thread ends, its kernel task ends too, and the HostThread
// waits for the next newcomer.
class Threads {
public:
    explicit Threads(Vcpu& vcpu);
    // The kernel is dead, and no call is under way.
    ~Threads();
    Threads(const Threads&) = delete;
    Threads& operator=(const Threads&) = delete;

    // The calling thread's. Null: out of memory.
    HostThread* current() noexcept
    {
        if (last_.owner == id_) [[likely]]
            return last_.thread;
        return find_current();
    }

    // The state of all threads, for snapshots.
    struct State {
        struct One {
            HostThread* thread;
            lkl_thread shared;
            uint32_t tenure;
        };
        std::vector<One> threads;
    };

    // Keeps threads from ending while it exists. The functions below want it, and
    // that no thread is in a call of the kernel: in_call() tells, once no new one can
    // begin.
    class Hold {
    public:
        explicit Hold(Threads& threads) : lock_(threads.end_mutex_) {}

    private:
        const std::lock_guard<std::mutex> lock_;
    };
    bool in_call();
    State save();
    // Whether all threads that had a task exist still.
    bool has_all(const State& state) const;
    // Puts the kernel's side of each thread back, if they do. One that came later has no
    // task any more, and gets one with its next call.
    void restore(const State& state);

    // Around fork(), in this order. In the child there is no kernel any more.
    static void before_fork();
    static void after_fork(bool child);

    // Every HostThread there is, in use or not.
    template <typename Function>
    void for_each(Function function)
    {
        std::lock_guard lock(mutex_);
        for (HostThread* thread : all_)
            function(*thread);
    }

private:
    friend struct ThreadExit;

    // The kernel that this thread called last: nearly always the only one. Plain
    // data, so that no access needs a check or a call.
    struct Last {
        uint64_t owner;
        HostThread* thread;
    };
    static constinit thread_local Last last_ __attribute__((tls_model("initial-exec")));

    HostThread* find_current() noexcept;
    void retire(HostThread* thread) noexcept;

    const uint64_t id_;  // never used twice, unlike addresses
    Vcpu& vcpu_;
    std::mutex end_mutex_;  // before mutex_
    std::mutex mutex_;
    std::vector<HostThread*> all_;
    HostThread* free_ = nullptr;
};

}  // namespace lkl
