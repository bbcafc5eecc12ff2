// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/calls/poll.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <span>
#include <vector>

#include <poll.h>
#include <sys/epoll.h>

#include <lkl/asm/unistd.h>

#include "hijack/calls/deadline.hpp"
#include "hijack/calls/epoll.hpp"
#include "hijack/calls/poll_sets.hpp"
#include "hijack/calls/signal_mask.hpp"
#include "hijack/preload/descriptors.hpp"
#include "hijack/preload/gate.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/stack.hpp"

namespace hijack::polls {

namespace {

// What a thread needs to wait for both sides: an epoll of the host that holds the host's
// descriptors while it waits, and the gate behind it.
struct PollGate {
    PollGate() : host_epoll(make_epoll()), gate(host_epoll) {}
    ~PollGate() { descriptors::close_own(host_epoll); }
    int error() const { return host_epoll < 0 ? host_epoll : gate.error(); }

    static int make_epoll()
    {
        const int made = static_cast<int>(host::call(SYS_epoll_create1, EPOLL_CLOEXEC));
        if (made < 0)
            return made;
        const int own = descriptors::own_duplicate(made);
        host::call(SYS_close, made);
        return own;
    }

    int host_epoll;
    Gate gate;
};

// The thread's own, made when it first needs one.
struct ThreadPollGate {
    ~ThreadPollGate()
    {
        const Inside inside;
        gate.reset();
    }
    std::unique_ptr<PollGate> gate;
};
thread_local ThreadPollGate thread_gate;

// The descriptors of one call by the side that knows them; a number of -1 is passed over
// by poll(2), so both lists keep the order of the caller's.
struct Sides {
    explicit Sides(std::span<const pollfd> all) : host(all.begin(), all.end()), ours(host)
    {
        for (size_t i = 0; i < all.size(); i++) {
            // What is told of it if its side is not asked.
            host[i].revents = ours[i].revents = 0;
            const int kernel_fd = descriptors::ours(all[i].fd);
            ours[i].fd = kernel_fd;
            if (kernel_fd >= 0) {
                if (descriptors::entry(all[i].fd) & descriptors::epoll_bit)
                    epolls::refresh(all[i].fd);
                host[i].fd = -1;
            } else if (all[i].fd >= 0) {
                has_host = true;
            }
        }
    }

    std::vector<pollfd> host;
    std::vector<pollfd> ours;
    bool has_host = false;
};

// A count that no process can have is the host's to refuse.
bool any_ours(std::span<const pollfd> fds)
{
    if (fds.size() > descriptors::limit)
        return false;
    for (const pollfd& one : fds)
        if (descriptors::ours(one.fd) >= 0)
            return true;
    return false;
}

long poll_ours(std::vector<pollfd>& fds, const timespec* timeout)
{
    timespec copy;
    if (timeout)
        copy = *timeout;
    return stack::call(__lkl__NR_ppoll, fds.data(), fds.size(), timeout ? &copy : nullptr, nullptr,
                       0);
}

long poll_host(std::vector<pollfd>& fds)
{
    timespec now = no_time;
    return host::call(SYS_ppoll, fds.data(), fds.size(), &now, nullptr, 0);
}

// Those of the host are in the epoll as long as the object is there. What an epoll does
// not take, such as a regular file, is always ready, and poll() has said so before.
class Members {
public:
    Members(int epoll, const std::vector<pollfd>& fds) : epoll_(epoll), fds_(fds)
    {
        for (const pollfd& one : fds_) {
            if (one.fd < 0)
                continue;
            epoll_event event{};
            event.events = static_cast<uint16_t>(one.events);
            event.data.fd = one.fd;
            if (host::call(SYS_epoll_ctl, epoll_, EPOLL_CTL_ADD, one.fd, &event) != -EEXIST)
                continue;
            event.events = events_of(one.fd);
            host::call(SYS_epoll_ctl, epoll_, EPOLL_CTL_MOD, one.fd, &event);
        }
    }
    ~Members()
    {
        for (const pollfd& one : fds_)
            if (one.fd >= 0)
                host::call(SYS_epoll_ctl, epoll_, EPOLL_CTL_DEL, one.fd, nullptr);
    }
    Members(const Members&) = delete;
    Members& operator=(const Members&) = delete;

private:
    // Of a number that is there several times.
    uint32_t events_of(int fd) const
    {
        uint32_t events = 0;
        for (const pollfd& one : fds_)
            if (one.fd == fd)
                events |= static_cast<uint16_t>(one.events);
        return events;
    }

    const int epoll_;
    const std::vector<pollfd>& fds_;
};

long poll_both(Sides& sides, const Deadline& deadline)
{
    if (!thread_gate.gate || thread_gate.gate->error() != 0)
        thread_gate.gate = std::make_unique<PollGate>();
    PollGate& own = *thread_gate.gate;
    if (own.error() != 0)
        return own.error();
    sides.ours.push_back({own.gate.kernel_event(), POLLIN, 0});
    const Members members(own.host_epoll, sides.host);
    for (;;) {
        const long of_host = poll_host(sides.host);
        if (of_host < 0)
            return of_host;
        timespec left = no_time;
        const timespec* timeout = &left;
        if (of_host == 0 && !deadline.is_now()) {
            own.gate.arm();
            timeout = deadline.left(&left);
        }
        long ours = poll_ours(sides.ours, timeout);
        const bool host_has = ours > 0 && sides.ours.back().revents != 0;
        if (host_has) {
            own.gate.drain();
            ours--;
        }
        if (ours < 0 && of_host == 0)
            return ours;
        const long ready = of_host + (ours > 0 ? ours : 0);
        // The gate's event may be one of an earlier call.
        if (ready > 0 || !host_has)
            return ready;
        if (deadline.is_now())
            return 0;
    }
}

// Without waiting.
long look(Sides& sides)
{
    const long of_host = sides.has_host ? poll_host(sides.host) : 0;
    if (of_host < 0)
        return of_host;
    const long ours = poll_ours(sides.ours, &no_time);
    return of_host > 0 ? of_host + std::max(ours, 0l) : ours;
}

// A mask counts for who has to wait: signals that it lets in stay pending where something is
// ready.
long wait_with_mask(Sides& sides, const Deadline& deadline, const uint64_t* mask)
{
    if (mask)
        if (const long ready = look(sides); ready != 0)
            return ready;
    const SignalMask masked(mask);
    if (masked.has_let_in())
        return -EINTR;
    timespec left;
    return sides.has_host ? poll_both(sides, deadline)
                          : poll_ours(sides.ours, deadline.left(&left));
}

// The stack is gone: its descriptors are ready for the call that says so.
long poll_without_stack(std::span<pollfd> fds)
{
    std::vector<pollfd> rest(fds.begin(), fds.end());
    for (pollfd& one : rest)
        if (descriptors::ours(one.fd) >= 0)
            one.fd = -1;
    long ready = poll_host(rest);
    if (ready < 0)
        return ready;
    for (size_t i = 0; i < fds.size(); i++) {
        const bool ours = descriptors::ours(fds[i].fd) >= 0;
        fds[i].revents = ours ? static_cast<short>(POLLERR) : rest[i].revents;
        ready += ours;
    }
    return ready;
}

// The caller is Inside.
long poll_with_ours(std::span<pollfd> fds, const Deadline& deadline, const uint64_t* mask)
{
    if (stack::check() != 0)
        return poll_without_stack(fds);
    Sides sides(fds);
    const long ready = wait_with_mask(sides, deadline, mask);
    if (ready >= 0)
        for (size_t i = 0; i < fds.size(); i++)
            fds[i].revents = sides.ours[i].fd >= 0 ? sides.ours[i].revents : sides.host[i].revents;
    return ready;
}

long poll_until(pollfd* fds, unsigned long count, const Deadline& deadline, const uint64_t* mask)
{
    if (any_ours({fds, count})) {
        const Inside inside;
        return poll_with_ours({fds, count}, deadline, mask);
    }
    timespec left;
    const uint64_t filtered = mask ? without_sigsys(*mask) : 0;
    const timespec* const timeout = deadline.left(&left);
    return host::call(SYS_ppoll, fds, count, timeout, mask ? &filtered : nullptr, sizeof filtered);
}

long select_until(const long* args, const Deadline& deadline, const uint64_t* mask)
{
    PollSets sets(args);
    if (!any_ours(sets.fds()))
        return -ENOTSUP;
    const Inside inside;
    const long ready = poll_with_ours(sets.fds(), deadline, mask);
    if (ready < 0)
        return ready;
    return sets.has_closed() ? -EBADF : sets.store();
}

// select(2) takes any number of microseconds. As the host's kernel adds: without overflow.
timespec as_timespec(const timeval& time)
{
    constexpr long second = 1'000'000;
    const auto seconds =
        static_cast<unsigned long>(time.tv_sec) + static_cast<unsigned long>(time.tv_usec / second);
    return {static_cast<time_t>(seconds), time.tv_usec % second * 1000};
}

}  // namespace

long poll(const long* args)
{
    auto* const fds = host::to_pointer<pollfd>(args[0]);
    const auto count = static_cast<unsigned long>(args[1]);
    if (!any_ours({fds, count}))
        return host::raw(SYS_poll, args);
    return poll_until(fds, count, Deadline::after_ms(static_cast<int>(args[2])), nullptr);
}

// What is left of the time is stored there, as Linux does.
class Remaining {
public:
    Remaining(timespec* time, const Deadline& deadline) : time_(time), deadline_(deadline) {}
    ~Remaining()
    {
        if (time_)
            deadline_.left(time_);
    }
    Remaining(const Remaining&) = delete;
    Remaining& operator=(const Remaining&) = delete;

private:
    timespec* const time_;
    const Deadline& deadline_;
};

long ppoll(const long* args)
{
    auto* const time = host::to_pointer<timespec>(args[2]);
    if (!Deadline::is_time(time))
        return -EINVAL;
    const Deadline deadline = Deadline::after(time);
    const Remaining remaining(time, deadline);
    return poll_until(host::to_pointer<pollfd>(args[0]), static_cast<unsigned long>(args[1]),
                      deadline, host::to_pointer<const uint64_t>(args[3]));
}

long select(const long* args)
{
    auto* const time = host::to_pointer<timeval>(args[4]);
    timespec copy{};
    if (time)
        copy = as_timespec(*time);
    if (!Deadline::is_time(&copy))
        return -EINVAL;
    const Deadline deadline = Deadline::after(time ? &copy : nullptr);
    const long result = select_until(args, deadline, nullptr);
    if (result == -ENOTSUP)
        return host::raw(SYS_select, args);
    // As it is written, where it is none.
    if (time && !deadline.is_now()) {
        deadline.left(&copy);
        *time = {copy.tv_sec, copy.tv_nsec / 1000};
    }
    return result;
}

long pselect6(const long* args)
{
    struct MaskArgument {
        const uint64_t* mask;
        size_t size;
    };
    const auto* const given = host::to_pointer<const MaskArgument>(args[5]);
    const uint64_t* const mask = given ? given->mask : nullptr;
    auto* const time = host::to_pointer<timespec>(args[4]);
    if (!Deadline::is_time(time))
        return -EINVAL;
    const Deadline deadline = Deadline::after(time);
    const long result = select_until(args, deadline, mask);
    if (result != -ENOTSUP) {
        const Remaining remaining(time, deadline);
        return result;
    }
    const uint64_t filtered = mask ? without_sigsys(*mask) : 0;
    const MaskArgument masked{mask ? &filtered : nullptr, sizeof filtered};
    long copy[6] = {args[0], args[1], args[2], args[3], args[4], reinterpret_cast<long>(&masked)};
    return host::raw(SYS_pselect6, copy);
}

}  // namespace hijack::polls
