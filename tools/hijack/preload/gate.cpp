// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/preload/gate.hpp"

#include <cerrno>
#include <map>
#include <mutex>

#include <sys/epoll.h>

#include <lkl/asm/unistd.h>
#include <lkl/linux/eventfd.h>

#include "hijack/preload/descriptors.hpp"
#include "hijack/preload/helper_thread.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/stack.hpp"

namespace hijack {

// One thread of the process, in epoll_wait() of the host on the epolls of all gates.
class Watcher {
public:
    static Watcher& instance()
    {
        // Threads may use it until the process has ended.
        static Watcher* const watcher = new Watcher;
        return *watcher;
    }

    int add(Gate& gate)
    {
        const std::lock_guard lock(mutex_);
        gate.id_ = next_id_++;
        epoll_event none{};
        none.data.u64 = gate.id_;
        const long result =
            host::call(SYS_epoll_ctl, epoll_, EPOLL_CTL_ADD, gate.host_epoll_, &none);
        if (result == 0)
            gates_.emplace(gate.id_, &gate);
        return static_cast<int>(result);
    }

    // Afterwards the watcher does not touch the gate, nor its eventfd's number.
    void remove(Gate& gate)
    {
        const std::lock_guard lock(mutex_);
        gates_.erase(gate.id_);
        host::call(SYS_epoll_ctl, epoll_, EPOLL_CTL_DEL, gate.host_epoll_, nullptr);
    }

    void arm(Gate& gate)
    {
        const std::lock_guard lock(mutex_);
        if (gate.armed_.load(std::memory_order_relaxed))
            return;
        // First: the watcher, which waits for the mutex, may be told at once.
        gate.armed_.store(true, std::memory_order_release);
        epoll_event once{};
        once.events = EPOLLIN | EPOLLONESHOT;
        once.data.u64 = gate.id_;
        host::call(SYS_epoll_ctl, epoll_, EPOLL_CTL_MOD, gate.host_epoll_, &once);
    }

private:
    Watcher()
    {
        {
            const descriptors::Own own;
            epoll_ = static_cast<int>(host::call(SYS_epoll_create1, EPOLL_CLOEXEC));
        }
        start_helper("lkl-watch", [this] { run(); });
    }

    void run()
    {
        for (;;) {
            epoll_event events[16];
            const long n = host::call(SYS_epoll_wait, epoll_, events, 16, -1);
            for (long i = 0; i < n; i++)
                fire(events[i].data.u64);
        }
    }

    void fire(uint64_t id)
    {
        const std::lock_guard lock(mutex_);
        const auto found = gates_.find(id);
        if (found == gates_.end())
            return;
        Gate& gate = *found->second;
        gate.armed_.store(false, std::memory_order_release);
        const uint64_t one = 1;
        stack::call(__lkl__NR_write, gate.kernel_event_, &one, sizeof one);
    }

    int epoll_ = -1;
    std::mutex mutex_;
    std::map<uint64_t, Gate*> gates_;
    uint64_t next_id_ = 1;
};

Gate::Gate(int host_epoll) : host_epoll_(host_epoll)
{
    const long made = stack::call(__lkl__NR_eventfd2, 0, LKL_EFD_NONBLOCK | LKL_EFD_CLOEXEC);
    if (made < 0) {
        error_ = static_cast<int>(made);
        return;
    }
    kernel_event_ = static_cast<int>(made);
    error_ = Watcher::instance().add(*this);
}

Gate::~Gate()
{
    if (kernel_event_ < 0 || stack::is_lost())
        return;
    Watcher::instance().remove(*this);
    stack::call(__lkl__NR_close, kernel_event_);
}

void Gate::arm()
{
    // The watcher's epoll is shared with the parent, who still waits there.
    if (stack::is_lost())
        return;
    Watcher::instance().arm(*this);
}

void Gate::drain() const
{
    uint64_t count = 0;
    stack::call(__lkl__NR_read, kernel_event_, &count, sizeof count);
}

}  // namespace hijack
