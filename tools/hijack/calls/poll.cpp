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
    PollGate()
        : host_epoll(descriptors::make_own(host::call(SYS_epoll_create1, EPOLL_CLOEXEC))),
          gate(std::make_unique<Gate>(host_epoll))
    {
    }
    ~PollGate()
    {
        // First: it takes the epoll's number out of the watcher's.
        gate.reset();
        descriptors::close_own(host_epoll);
    }
    PollGate(const PollGate&) = delete;
    PollGate& operator=(const PollGate&) = delete;
    int error() const { return host_epoll < 0 ? host_epoll : gate->error(); }

    int host_epoll;
    std::unique_ptr<Gate> gate;
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

long wait_on_host(std::span<pollfd> fds, const Deadline& deadline, const uint64_t* mask)
{
    timespec left;
    const uint64_t filtered = mask ? without_sigsys(*mask) : 0;
    return host::call(SYS_ppoll, fds.data(), fds.size(), deadline.left(&left),
                      mask ? &filtered : nullptr, sizeof filtered);
}

// Those of the host are in the epoll as long as the object is there. What an epoll does
// not take, such as a regular file, is always ready, and poll() has said so before.
class Members {
public:
    Members(int epoll, const std::vector<pollfd>& fds, bool* stale)
        : epoll_(epoll), fds_(fds), stale_(stale)
    {
        for (const pollfd& one : fds_) {
            if (one.fd < 0)
                continue;
            epoll_event event{};
            event.events = static_cast<uint16_t>(one.events);
            event.data.fd = one.fd;
            const long added = host::call(SYS_epoll_ctl, epoll_, EPOLL_CTL_ADD, one.fd, &event);
            count_ += added == 0;
            if (added != -EEXIST)
                continue;
            event.events = events_of(one.fd);
            host::call(SYS_epoll_ctl, epoll_, EPOLL_CTL_MOD, one.fd, &event);
        }
    }
    ~Members()
    {
        for (const pollfd& one : fds_)
            if (one.fd >= 0)
                count_ -= host::call(SYS_epoll_ctl, epoll_, EPOLL_CTL_DEL, one.fd, nullptr) == 0;
        if (count_ > 0)
            *stale_ = true;
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
    bool* const stale_;  // something was left in the epoll
    int count_ = 0;
};

// A number that was given to something else meanwhile has left what it stood for in the epoll,
// if that is still open elsewhere: `*stale`, the epoll is not to be used any more.
long poll_both(Sides& sides, const Deadline& deadline, bool* stale)
{
    if (!thread_gate.gate || thread_gate.gate->error() != 0)
        thread_gate.gate = std::make_unique<PollGate>();
    PollGate& own = *thread_gate.gate;
    if (own.error() != 0)
        return own.error();
    sides.ours.push_back({own.gate->kernel_event(), POLLIN, 0});
    const Members members(own.host_epoll, sides.host, stale);
    bool told = false;
    for (;;) {
        const long of_host = poll_host(sides.host);
        if (of_host < 0)
            return of_host;
        timespec left = no_time;
        const timespec* timeout = &left;
        if (of_host == 0 && !deadline.is_now()) {
            own.gate->arm();
            timeout = deadline.left(&left);
        }
        long ours = poll_ours(sides.ours, timeout);
        const bool host_has = ours > 0 && sides.ours.back().revents != 0;
        if (host_has) {
            own.gate->drain();
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
        if (told) {
            *stale = true;
            return 0;
        }
        told = true;
    }
}

long poll_both(Sides& sides, const Deadline& deadline)
{
    const size_t count = sides.ours.size();
    for (;;) {
        bool stale = false;
        const long ready = poll_both(sides, deadline, &stale);
        if (!stale)
            return ready;
        thread_gate.gate.reset();
        sides.ours.resize(count);
        if (ready != 0 || deadline.has_passed())
            return ready;
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

// An epoll is, if something of our kernel was in it.
bool is_ours(const pollfd& one)
{
    if (descriptors::entry(one.fd) & descriptors::epoll_bit)
        return epolls::had_ours(one.fd);
    return descriptors::ours(one.fd) >= 0;
}

// The stack is gone: its descriptors are ready for the call that says so.
long poll_without_stack(std::span<pollfd> fds, const Deadline& deadline, const uint64_t* mask)
{
    if (std::none_of(fds.begin(), fds.end(), is_ours))
        return wait_on_host(fds, deadline, mask);
    std::vector<pollfd> rest(fds.begin(), fds.end());
    for (pollfd& one : rest)
        if (is_ours(one))
            one.fd = -1;
    long ready = poll_host(rest);
    if (ready < 0)
        return ready;
    for (size_t i = 0; i < fds.size(); i++) {
        const bool ours = is_ours(fds[i]);
        fds[i].revents = ours ? static_cast<short>(POLLERR) : rest[i].revents;
        ready += ours;
    }
    return ready;
}

// The caller is Inside.
long poll_with_ours(std::span<pollfd> fds, const Deadline& deadline, const uint64_t* mask)
{
    if (stack::check() != 0)
        return poll_without_stack(fds, deadline, mask);
    Sides sides(fds);
    const long ready = wait_with_mask(sides, deadline, mask);
    if (ready >= 0)
        for (size_t i = 0; i < fds.size(); i++)
            fds[i].revents = sides.ours[i].fd >= 0 ? sides.ours[i].revents : sides.host[i].revents;
    return ready;
}

// An epoll is among them, and gets a half of our kernel when that starts.
bool awaits_start(std::span<const pollfd> fds)
{
    return fds.size() <= descriptors::limit && stack::state.load() == stack::State::none &&
           std::any_of(fds.begin(), fds.end(), [](const pollfd& one) {
               return (descriptors::entry(one.fd) & descriptors::epoll_bit) != 0;
           });
}

// Until one is ready, or our kernel has started.
long poll_before_start(std::span<pollfd> fds, const Deadline& deadline, const uint64_t* mask,
                       bool* started)
{
    std::vector<pollfd> all(fds.begin(), fds.end());
    all.push_back({epolls::start_event(), POLLIN, 0});
    const long ready = wait_on_host(all, deadline, mask);
    *started = ready > 0 && all.back().revents != 0;
    for (size_t i = 0; ready >= 0 && i < fds.size(); i++)
        fds[i].revents = all[i].revents;
    return ready;
}

long poll_until(std::span<pollfd> fds, const Deadline& deadline, const uint64_t* mask)
{
    for (;;) {
        if (any_ours(fds)) {
            const Inside inside;
            return poll_with_ours(fds, deadline, mask);
        }
        if (!awaits_start(fds))
            return wait_on_host(fds, deadline, mask);
        bool started = false;
        const long ready = poll_before_start(fds, deadline, mask, &started);
        if (!started)
            return ready;
    }
}

long select_until(const long* args, const Deadline& deadline, const uint64_t* mask)
{
    PollSets sets(args);
    if (!any_ours(sets.fds()) && !awaits_start(sets.fds()))
        return -ENOTSUP;
    const long ready = poll_until(sets.fds(), deadline, mask);
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
    const std::span fds(host::to_pointer<pollfd>(args[0]), static_cast<unsigned long>(args[1]));
    if (!any_ours(fds) && !awaits_start(fds))
        return host::raw(SYS_poll, args);
    return poll_until(fds, Deadline::after_ms(static_cast<int>(args[2])), nullptr);
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
    const std::span fds(host::to_pointer<pollfd>(args[0]), static_cast<unsigned long>(args[1]));
    return poll_until(fds, deadline, host::to_pointer<const uint64_t>(args[3]));
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
