// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/preload/gate.hpp"

#include <cerrno>
#include <ctime>
#include <map>
#include <mutex>

#include <poll.h>
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
        const Holding lock(mutex_);
        if (const int error = start(); error < 0)
            return error;
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
        const Holding lock(mutex_);
        gates_.erase(gate.id_);
        host::call(SYS_epoll_ctl, epoll_, EPOLL_CTL_DEL, gate.host_epoll_, nullptr);
    }

    void arm(Gate& gate)
    {
        const Holding lock(mutex_);
        arm_locked(gate);
    }

    void settle(Gate& gate)
    {
        const Holding lock(mutex_);
        fire_all();
        if (!is_readable(gate.host_epoll_)) {
            gate.drain();
            arm_locked(gate);
        } else if (!has_event(gate)) {
            write(gate);
        }
    }

    void follow_edges(Gate& gate)
    {
        const Holding lock(mutex_);
        if (gate.edges_)
            return;
        gate.edges_ = true;
        watch(gate);
    }

private:
    Watcher() = default;

    // Once; again where no number was left. The mutex is held.
    int start()
    {
        if (epoll_ >= 0)
            return 0;
        epoll_ = descriptors::make_own(host::call(SYS_epoll_create1, EPOLL_CLOEXEC));
        if (epoll_ < 0)
            return epoll_;
        start_helper("lkl-watch", [this] { run(); });
        return 0;
    }

    // Events are taken with the mutex held, so that each is the watcher's or settle()'s, and
    // none of a time before.
    void run()
    {
        for (;;) {
            pollfd one{epoll_, POLLIN, 0};
            host::call(SYS_poll, &one, 1, -1);
            const Holding lock(mutex_);
            fire_all();
        }
    }

    static bool is_readable(int host_epoll)
    {
        pollfd one{host_epoll, POLLIN, 0};
        return host::call(SYS_poll, &one, 1, 0) > 0;
    }

    // The mutex is held, as for all below. Looks whether the host epoll is readable now.
    void watch(const Gate& gate)
    {
        epoll_event event{};
        event.events = EPOLLIN | (gate.edges_ ? EPOLLET : EPOLLONESHOT);
        event.data.u64 = gate.id_;
        host::call(SYS_epoll_ctl, epoll_, EPOLL_CTL_MOD, gate.host_epoll_, &event);
    }

    void arm_locked(Gate& gate)
    {
        // First: it may fire at once.
        if (!gate.armed_.exchange(true, std::memory_order_acq_rel))
            watch(gate);
    }

    void fire_all()
    {
        epoll_event events[16];
        long count;
        do {
            count = host::call(SYS_epoll_wait, epoll_, events, 16, 0);
            for (long i = 0; i < count; i++)
                fire(events[i].data.u64);
        } while (count == 16);
    }

    void fire(uint64_t id)
    {
        const auto found = gates_.find(id);
        if (found == gates_.end())
            return;
        found->second->armed_.store(false, std::memory_order_release);
        write(*found->second);
    }

    static bool has_event(const Gate& gate)
    {
        pollfd one{gate.kernel_event_, POLLIN, 0};
        timespec at_once{};
        return stack::call(__lkl__NR_ppoll, &one, 1, &at_once, nullptr, 0) > 0;
    }

    static void write(const Gate& gate)
    {
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

void Gate::settle()
{
    if (!stack::is_lost())
        Watcher::instance().settle(*this);
}

void Gate::follow_edges()
{
    if (!stack::is_lost())
        Watcher::instance().follow_edges(*this);
}

void Gate::drain() const
{
    uint64_t count = 0;
    stack::call(__lkl__NR_read, kernel_event_, &count, sizeof count);
}

}  // namespace hijack
