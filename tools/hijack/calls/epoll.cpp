// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/calls/epoll.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <lkl/asm/unistd.h>
#include <lkl/linux/eventpoll.h>

#include "hijack/calls/deadline.hpp"
#include "hijack/calls/epoll_halves.hpp"
#include "hijack/calls/nested_epolls.hpp"
#include "hijack/calls/signal_mask.hpp"
#include "hijack/preload/descriptors.hpp"
#include "hijack/preload/gate.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/stack.hpp"

namespace hijack::epolls {

Epoll::~Epoll()
{
    gate.reset();
    // A child of fork() has nothing of it.
    if (kernel_fd >= 0 && stack::is_up())
        stack::call(__lkl__NR_close, kernel_fd);
    descriptors::close_own(host_fd);
}

Registry& registry()
{
    static Registry* const instance = new Registry;
    return *instance;
}

namespace {

static_assert(sizeof(epoll_event) == sizeof(lkl_epoll_event));

// Their addresses mark events that are not the program's: no number or address of the
// program equals them.
char gate_mark, start_mark;

uint64_t mark(const char& what)
{
    return reinterpret_cast<uintptr_t>(&what);
}

std::shared_ptr<Epoll> find(long number)
{
    if (!(descriptors::entry(number) & descriptors::epoll_bit))
        return nullptr;
    Registry& all = registry();
    const Holding lock(all.mutex);
    const auto found = all.by_number.find(static_cast<int>(number));
    return found == all.by_number.end() ? nullptr : found->second;
}

// The registry's mutex is held. 0 or negative errno.
int add_kernel_half(Epoll& epoll)
{
    const long made = stack::call(__lkl__NR_epoll_create1, LKL_EPOLL_CLOEXEC);
    if (made < 0)
        return static_cast<int>(made);
    epoll.kernel_fd = static_cast<int>(made);
    auto gate = std::make_unique<Gate>(epoll.host_fd);
    const int error = gate->error();
    {
        const Holding lock(epoll.mutex);
        epoll.gate = std::move(gate);
    }
    if (error != 0)
        return error;
    lkl_epoll_event event{};
    event.events = EPOLLIN;
    event.data = mark(gate_mark);
    return static_cast<int>(stack::call(__lkl__NR_epoll_ctl, epoll.kernel_fd, EPOLL_CTL_ADD,
                                        epoll.gate->kernel_event(), &event));
}

descriptors::Entry entry_of(const Epoll& epoll)
{
    return descriptors::epoll_bit | static_cast<descriptors::Entry>(epoll.kernel_fd + 1);
}

// Threads that wait in this epoll of the host are to be told when our kernel starts.
void watch_for_start(Registry& all, int host_fd)
{
    if (all.start_event < 0) {
        all.start_event =
            descriptors::make_own(host::call(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK));
    }
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.u64 = mark(start_mark);
    host::call(SYS_epoll_ctl, host_fd, EPOLL_CTL_ADD, all.start_event, &event);
}

// A thread has left the host's epoll_wait(); `told`: with the mark. The event is one for one
// thread, which passes it on; after the last one nobody needs it. A forked child has its
// parent's epoll, and hears of its parent's kernel.
void left_host(Epoll& epoll, bool told)
{
    const int others = epoll.waiting_in_host.fetch_sub(1) - 1;
    if (!stack::is_up())
        return;
    const int start_event = registry().start_event;
    const uint64_t one = 1;
    if (others == 0)
        host::call(SYS_epoll_ctl, epoll.host_fd, EPOLL_CTL_DEL, start_event, nullptr);
    else if (told)
        host::call(SYS_write, start_event, &one, sizeof one);
}

// Takes out the events with a mark. The number that is left.
long without(uint64_t unwanted, epoll_event* events, long count, bool* found)
{
    if (count <= 0)
        return count;
    epoll_event* const end =
        std::remove_if(events, events + count,
                       [unwanted](const epoll_event& event) { return event.data.u64 == unwanted; });
    *found = *found || end != events + count;
    return end - events;
}

// A socket, for instance.
bool is_no_epoll_of_ours(long number)
{
    return descriptors::ours(number) >= 0 && !(descriptors::entry(number) & descriptors::epoll_bit);
}

long wait_on_host(int number, epoll_event* events, int most, const Deadline& deadline,
                  const uint64_t* mask)
{
    timespec left;
    const uint64_t filtered = mask ? without_sigsys(*mask) : 0;
    return host::call(SYS_epoll_pwait2, number, events, most, deadline.left(&left),
                      mask ? &filtered : nullptr, sizeof filtered);
}

long take_from_host(const Epoll& epoll, epoll_event* events, int most)
{
    bool told = false;
    const long count =
        host::call(SYS_epoll_pwait2, epoll.host_fd, events, most, &no_time, nullptr, 0);
    return std::max(without(mark(start_mark), events, count, &told), 0l);
}

// Those who wait rely on an armed gate. The epoll's mutex is held.
void arm_for_others(Epoll& epoll)
{
    if (epoll.gate && (epoll.waiting > 0 || epoll.watched) && epoll.host_members > 0)
        epoll.gate->arm();
}

class Waiter {
public:
    explicit Waiter(Epoll& epoll) : epoll_(epoll)
    {
        const Holding lock(epoll_.mutex);
        epoll_.waiting++;
        if (epoll_.host_members > 0)
            epoll_.gate->arm();
    }
    ~Waiter()
    {
        const Holding lock(epoll_.mutex);
        --epoll_.waiting;
        arm_for_others(epoll_);
    }
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

private:
    Epoll& epoll_;
};

long take_from_kernel(Epoll& epoll, epoll_event* events, long most, const timespec* timeout,
                      bool* host_has)
{
    const long count =
        stack::call(__lkl__NR_epoll_pwait2, epoll.kernel_fd, events, most, timeout, nullptr, 0);
    return without(mark(gate_mark), events, count, host_has);
}

void refresh(Epoll& epoll);

void refresh_inners(const Epoll& epoll)
{
    for (const auto& inner : nested::all(epoll))
        refresh(*inner);
}

// For who looks at it as a descriptor.
void refresh(Epoll& epoll)
{
    refresh_inners(epoll);
    // First: a thread that drains the eventfd from here on arms the gate.
    epoll.watched = true;
    Gate* gate;
    {
        const Holding lock(epoll.mutex);
        gate = epoll.gate.get();
    }
    if (!gate)
        return;
    gate->follow_edges();
    gate->settle();
}

// What is there, without waiting. `in_host`: the host is asked. Unless `is_now`, the caller goes
// on to wait in our kernel, which then need not be asked.
long take_now(Epoll& epoll, epoll_event* events, int most, bool in_host, bool is_now)
{
    // Else one side could fill a short list for ever.
    const bool ours_first = epoll.ours_first.load(std::memory_order_relaxed);
    epoll.ours_first.store(!ours_first, std::memory_order_relaxed);
    long of_host = 0;
    if (in_host && !ours_first) {
        of_host = take_from_host(epoll, events, most);
        if (of_host == most || (of_host == 0 && !is_now))
            return of_host;
    }
    bool host_has = false;
    const long room = most - of_host;
    long ours = take_from_kernel(epoll, events + of_host, room, &no_time, &host_has);
    // Where the gate alone was there, something may stand behind it.
    if (ours == 0 && host_has)
        ours = take_from_kernel(epoll, events + of_host, room, &no_time, &host_has);
    if (ours < 0)
        return of_host > 0 ? of_host : ours;
    if (in_host && ours_first && ours < most)
        of_host = take_from_host(epoll, events + ours, most - static_cast<int>(ours));
    if (host_has)
        epoll.gate->settle();
    return of_host + ours;
}

long wait_on_both(Epoll& epoll, epoll_event* events, int most, const Deadline& deadline)
{
    refresh_inners(epoll);
    // With the gate armed the host has nothing new that it would not tell of; who does not
    // want to wait must not depend on when the watcher runs.
    const bool is_now = deadline.is_now();
    bool look = epoll.host_members > 0 && (!epoll.gate->armed() || is_now);
    for (;;) {
        if (look || is_now) {
            const long count = take_now(epoll, events, most, look, is_now);
            if (count != 0 || is_now)
                return count;
        }
        timespec left;
        bool host_has = false;
        long ours;
        {
            const Waiter waiter(epoll);
            ours = take_from_kernel(epoll, events, most, deadline.left(&left), &host_has);
            if (host_has)
                epoll.gate->drain();
        }
        if (ours != 0)
            return host_has && ours > 0 && ours < most
                       ? ours + take_from_host(epoll, events + ours, most - static_cast<int>(ours))
                       : ours;
        if (!host_has)
            return 0;
        look = true;
    }
}

// A signal that the mask lets in is for who has to wait.
long wait_with_mask(Epoll& epoll, epoll_event* events, int most, const Deadline& deadline,
                    const uint64_t* mask)
{
    if (mask) {
        const long ready = wait_on_both(epoll, events, most, Deadline::after(&no_time));
        if (ready != 0)
            return ready;
    }
    const SignalMask masked(mask);
    if (masked.has_let_in())
        return -EINTR;
    return wait_on_both(epoll, events, most, deadline);
}

long wait_until(long number, epoll_event* events, int most, const Deadline& deadline,
                const uint64_t* mask)
{
    if (most <= 0 || is_no_epoll_of_ours(number))
        return -EINVAL;
    for (;;) {
        std::shared_ptr<Epoll> epoll;
        {
            const Inside inside;
            epoll = find(number);
            // Before the look at the state: kernel_started() looks at both the other way round.
            if (epoll)
                epoll->waiting_in_host.fetch_add(1);
            if (epoll && stack::state.load() == stack::State::up && epoll->kernel_fd >= 0) {
                epoll->waiting_in_host.fetch_sub(1);
                const long count = wait_with_mask(*epoll, events, most, deadline, mask);
                epoll.reset();  // Inside
                return count;
            }
            // What the host has in it is waited for all the same.
            if (epoll && epoll->had_ours)
                (void)stack::check();
        }
        // Not Inside: a signal is the host's matter.
        bool told = false;
        const long count = wait_on_host(static_cast<int>(number), events, most, deadline, mask);
        const long left = without(mark(start_mark), events, count, &told);
        if (epoll) {
            const Inside inside;
            left_host(*epoll, told);
            epoll.reset();
        }
        if (left != 0 || !told)
            return left;
    }
}

}  // namespace

void forget(int number)
{
    // Its end, if this is it, comes after the lock.
    std::shared_ptr<Epoll> last;
    Registry& all = registry();
    const Holding lock(all.mutex);
    const auto found = all.by_number.find(number);
    if (found == all.by_number.end())
        return;
    last = std::move(found->second);
    all.by_number.erase(found);
}

void share(int number, int second)
{
    Registry& all = registry();
    const Holding lock(all.mutex);
    const auto found = all.by_number.find(number);
    if (found != all.by_number.end())
        all.by_number[second] = found->second;
}

void kernel_started()
{
    Registry& all = registry();
    const Holding lock(all.mutex);
    std::vector<std::shared_ptr<Epoll>> epolls;
    for (const auto& [number, epoll] : all.by_number) {
        if (epoll->kernel_fd < 0 && add_kernel_half(*epoll) == 0)
            epolls.push_back(epoll);
        descriptors::table[number].store(entry_of(*epoll), std::memory_order_release);
    }
    for (const auto& epoll : epolls)
        nested::kernel_started(*epoll);
    // Before the lock goes: an epoll that comes later finds our kernel running.
    stack::state.store(stack::State::up);
    for (const auto& epoll : epolls)
        if (epoll->waiting_in_host.load() == 0)
            host::call(SYS_epoll_ctl, epoll->host_fd, EPOLL_CTL_DEL, all.start_event, nullptr);
    const uint64_t one = 1;
    if (all.start_event >= 0)
        host::call(SYS_write, all.start_event, &one, sizeof one);
}

void forking()
{
    registry().mutex.lock();
}

void fork_made()
{
    registry().mutex.unlock();
}

// Another thread may have held the mutex of an epoll.
void forked()
{
    Registry& all = registry();
    for (const auto& [number, epoll] : all.by_number) {
        new (&epoll->mutex) std::mutex;
        epoll->waiting = 0;
        epoll->waiting_in_host = 0;
    }
    all.mutex.unlock();
}

// A thread of the parent's may have held the mutex.
void forking_unseen()
{
    new (&registry().mutex) std::mutex;
    forking();
}

void refresh(int number)
{
    if (const auto epoll = find(number))
        refresh(*epoll);
}

bool had_ours(int number)
{
    const auto epoll = find(number);
    return epoll && epoll->had_ours;
}

int start_event()
{
    return registry().start_event;
}

long create1(const long* args)
{
    const Inside inside;
    const long number = host::raw(SYS_epoll_create1, args);
    if (number < 0 || number >= descriptors::limit)
        return number;
    auto epoll = std::make_shared<Epoll>();
    epoll->host_fd = descriptors::own_duplicate(static_cast<int>(number));
    Registry& all = registry();
    const Holding lock(all.mutex);
    int error = std::min(epoll->host_fd, 0);
    if (error == 0 && stack::is_up())
        error = add_kernel_half(*epoll);
    else if (error == 0)
        watch_for_start(all, epoll->host_fd);
    if (error != 0) {
        host::call(SYS_close, number);
        return error;
    }
    all.by_number[static_cast<int>(number)] = epoll;
    descriptors::table[number].store(entry_of(*epoll), std::memory_order_release);
    return number;
}

long create(const long* args)
{
    const long without_flags[6] = {};
    return static_cast<int>(args[0]) > 0 ? create1(without_flags) : -EINVAL;
}

long control_host(Epoll& epoll, const long* args)
{
    const auto operation = static_cast<int>(args[1]);
    // Before it is in, so that no thread waits without a look at it.
    const Holding lock(epoll.mutex);
    const long result = host::raw(SYS_epoll_ctl, args);
    if (result == 0 && operation == EPOLL_CTL_ADD) {
        epoll.host_members++;
        arm_for_others(epoll);
    } else if (result == 0 && operation == EPOLL_CTL_DEL && epoll.host_members > 0) {
        epoll.host_members--;
    }
    return result;
}

long control(const long* args)
{
    const long number = args[0], fd = args[2], event = args[3];
    const int kernel_fd = descriptors::ours(fd);
    const Inside inside;
    const std::shared_ptr<Epoll> epoll = find(number);
    if (!epoll && kernel_fd < 0 && !is_no_epoll_of_ours(number))
        return host::raw(SYS_epoll_ctl, args);
    if (!epoll)
        return host::call(SYS_fcntl, number, F_GETFD, 0) < 0 ||
                       host::call(SYS_fcntl, fd, F_GETFD, 0) < 0
                   ? -EBADF
                   : -EINVAL;
    if (const std::shared_ptr<Epoll> inner = find(fd)) {
        const long result = nested::control(*epoll, inner, args);
        if (result == 0)
            refresh(*inner);
        return result;
    }
    if (kernel_fd < 0)
        return control_host(*epoll, args);
    epoll->had_ours = true;
    return stack::call(__lkl__NR_epoll_ctl, epoll->kernel_fd, static_cast<int>(args[1]), kernel_fd,
                       event);
}

long wait(const long* args)
{
    return wait_until(args[0], host::to_pointer<epoll_event>(args[1]), static_cast<int>(args[2]),
                      Deadline::after_ms(static_cast<int>(args[3])), nullptr);
}

long pwait(const long* args)
{
    return wait_until(args[0], host::to_pointer<epoll_event>(args[1]), static_cast<int>(args[2]),
                      Deadline::after_ms(static_cast<int>(args[3])),
                      host::to_pointer<const uint64_t>(args[4]));
}

long pwait2(const long* args)
{
    const auto* const time = host::to_pointer<const timespec>(args[3]);
    if (!Deadline::is_time(time))
        return -EINVAL;
    return wait_until(args[0], host::to_pointer<epoll_event>(args[1]), static_cast<int>(args[2]),
                      Deadline::after(time), host::to_pointer<const uint64_t>(args[4]));
}

}  // namespace hijack::epolls
