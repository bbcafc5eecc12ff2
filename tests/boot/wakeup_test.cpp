// SPDX-License-Identifier: GPL-2.0-only
// Threads that wake each other by every means that the kernel has: none is ever
// left asleep, above all when nobody makes another call that would cover it up.
#include <array>
#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <lkl/asm/poll.h>
#include <lkl/asm/siginfo.h>
#include <lkl/asm/signal.h>
#include <lkl/linux/eventfd.h>
#include <lkl/linux/eventpoll.h>
#include <lkl/linux/futex.h>
#include <lkl/linux/inotify.h>
#include <lkl/linux/signalfd.h>

#include <support/kernel.hpp>

namespace lkl::test {
namespace {

constexpr unsigned long bit(int signal)
{
    return 1ul << (signal - 1);
}

// A counting semaphore made of one of the kernel's primitives: any thread posts,
// one waits. Both return 0, or what went wrong.
class Channel {
public:
    explicit Channel(Kernel& kernel) : kernel(kernel), calls(kernel) {}
    virtual ~Channel() = default;
    // By the waiting thread, before anything else.
    virtual void attach() {}
    virtual long post() = 0;
    virtual long wait() = 0;

protected:
    // 0 if the call returned what it has to.
    static long expect(long result, long wanted)
    {
        return result == wanted ? 0 : result ? result : -1;
    }

    Kernel& kernel;
    Calls calls;
};

class PipeChannel : public Channel {
public:
    explicit PipeChannel(Kernel& k) : Channel(k) { EXPECT_EQ(calls.pipe(fds.data()), 0); }
    long post() override { return expect(calls.write(fds[1], "x", 1), 1); }
    long wait() override
    {
        char byte;
        return expect(calls.read(fds[0], &byte, 1), 1);
    }

protected:
    std::array<int, 2> fds{};
};

class PollChannel final : public PipeChannel {
public:
    using PipeChannel::PipeChannel;
    long wait() override
    {
        struct lkl_pollfd poll = {fds[0], LKL_POLLIN, 0};
        const long n = kernel.syscall(__lkl__NR_ppoll, &poll, 1, nullptr, nullptr, 8);
        if (n != 1 || poll.revents != LKL_POLLIN)
            return n ? n : -1;
        return PipeChannel::wait();
    }
};

class SelectChannel final : public PipeChannel {
public:
    using PipeChannel::PipeChannel;
    long wait() override
    {
        unsigned long set[16] = {};
        set[fds[0] / 64] = 1ul << (fds[0] % 64);
        const long n =
            kernel.syscall(__lkl__NR_pselect6, fds[0] + 1, set, nullptr, nullptr, nullptr, nullptr);
        return n == 1 ? PipeChannel::wait() : n ? n : -1;
    }
};

class EventChannel : public Channel {
public:
    explicit EventChannel(Kernel& k, int flags = LKL_EFD_SEMAPHORE)
        : Channel(k), fd(k.syscall(__lkl__NR_eventfd2, 0, flags))
    {
        EXPECT_GE(fd, 0);
    }
    long post() override
    {
        const uint64_t one = 1;
        return expect(calls.write(fd, &one, sizeof one), sizeof one);
    }
    long wait() override
    {
        uint64_t count = 0;
        return expect(calls.read(fd, &count, sizeof count), sizeof count)
                   ? -1
                   : expect(static_cast<long>(count), 1);
    }

protected:
    const long fd;
};

// Level or edge: an edge is taken once, the rest of the count without waiting.
class EpollChannel final : public EventChannel {
public:
    EpollChannel(Kernel& k, uint32_t mode)
        : EventChannel(k, LKL_EFD_SEMAPHORE | LKL_EFD_NONBLOCK),
          mode_(mode),
          epoll_(k.syscall(__lkl__NR_epoll_create1, 0))
    {
        struct lkl_epoll_event event {};
        event.events = LKL_EPOLLIN | mode;
        event.data = 4711;
        EXPECT_EQ(k.syscall(__lkl__NR_epoll_ctl, epoll_, LKL_EPOLL_CTL_ADD, fd, &event), 0);
    }
    long wait() override
    {
        for (;;) {
            uint64_t count = 0;
            const long n = calls.read(fd, &count, sizeof count);
            if (n == sizeof count)
                return expect(static_cast<long>(count), 1);
            if (n != -LKL_EAGAIN)
                return n;
            struct lkl_epoll_event event {};
            const long ready =
                kernel.syscall(__lkl__NR_epoll_pwait, epoll_, &event, 1, -1, nullptr, 8);
            if (ready != 1 || event.data != 4711)
                return ready ? ready : -1;
            if (mode_ & LKL_EPOLLONESHOT) {
                event.events = LKL_EPOLLIN | mode_;
                if (const long set =
                        kernel.syscall(__lkl__NR_epoll_ctl, epoll_, LKL_EPOLL_CTL_MOD, fd, &event))
                    return set;
            }
        }
    }

private:
    const uint32_t mode_;
    const long epoll_;
};

class FutexChannel final : public Channel {
public:
    FutexChannel(Kernel& k, int flags) : Channel(k), flags_(flags) {}
    long post() override
    {
        count_.fetch_add(1);
        const long woken = kernel.syscall(__lkl__NR_futex, &count_, LKL_FUTEX_WAKE | flags_, 1);
        return woken < 0 ? woken : 0;
    }
    long wait() override
    {
        for (;;) {
            uint32_t count = count_.load();
            if (count && count_.compare_exchange_strong(count, count - 1))
                return 0;
            if (count)
                continue;
            const long n =
                kernel.syscall(__lkl__NR_futex, &count_, LKL_FUTEX_WAIT | flags_, 0, nullptr);
            if (n != 0 && n != -LKL_EAGAIN)
                return n;
        }
    }

private:
    const int flags_;
    std::atomic<uint32_t> count_{0};
};

// A real-time signal to the thread, which are queued one by one.
class SignalChannel : public Channel {
public:
    using Channel::Channel;
    void attach() override
    {
        const unsigned long set = bit(signal);
        EXPECT_EQ(kernel.syscall(__lkl__NR_rt_sigprocmask, LKL_SIG_BLOCK, &set, nullptr, 8), 0);
        thread = calls.gettid();
    }
    long post() override
    {
        // The waiter attaches while the first post is on its way.
        while (thread == 0)
            std::this_thread::yield();
        struct lkl_siginfo info {};
        info.si_code = LKL_SI_QUEUE;
        info.si_signo = signal;
        return kernel.syscall(__lkl__NR_rt_tgsigqueueinfo, 1, thread.load(), signal, &info);
    }
    long wait() override
    {
        const unsigned long set = bit(signal);
        return expect(kernel.syscall(__lkl__NR_rt_sigtimedwait, &set, nullptr, nullptr, 8), signal);
    }

protected:
    static constexpr int signal = LKL_SIGRTMIN + 3;
    std::atomic<long> thread{0};
};

class SignalfdChannel final : public SignalChannel {
public:
    using SignalChannel::SignalChannel;
    void attach() override
    {
        const unsigned long set = bit(signal);
        fd_ = kernel.syscall(__lkl__NR_signalfd4, -1, &set, 8, 0);
        EXPECT_GE(fd_, 0);
        SignalChannel::attach();
    }
    long wait() override
    {
        struct lkl_signalfd_siginfo info {};
        const long n = calls.read(fd_, &info, sizeof info);
        return n == sizeof info ? expect(info.ssi_signo, signal) : n;
    }

private:
    long fd_ = -1;
};

// A file that is made and removed in a watched directory; every event is one post.
class InotifyChannel final : public Channel {
public:
    explicit InotifyChannel(Kernel& k) : Channel(k)
    {
        static std::atomic<int> number{0};
        directory_ = "/watched-" + std::to_string(++number);
        EXPECT_EQ(calls.mkdir(directory_.c_str()), 0);
        fd_ = k.syscall(__lkl__NR_inotify_init1, 0);
        EXPECT_GE(fd_, 0);
        EXPECT_GE(k.syscall(__lkl__NR_inotify_add_watch, fd_, directory_.c_str(), LKL_IN_CREATE),
                  0);
    }
    long post() override
    {
        const std::string name = directory_ + "/" + std::to_string(++file_);
        const long fd = calls.open(name.c_str(), LKL_O_CREAT | LKL_O_WRONLY);
        if (fd < 0)
            return fd;
        calls.close(fd);
        return calls.unlink(name.c_str());
    }
    long wait() override
    {
        if (events_ == 0) {
            alignas(8) char buffer[4096];
            const long n = calls.read(fd_, buffer, sizeof buffer);
            if (n <= 0)
                return n ? n : -1;
            for (long at = 0; at < n; ++events_) {
                struct lkl_inotify_event event;
                std::memcpy(&event, buffer + at, sizeof event);
                at += static_cast<long>(sizeof event + event.len);
            }
        }
        --events_;
        return 0;
    }

private:
    std::string directory_;
    long fd_ = -1;
    std::atomic<int> file_{0};
    int events_ = 0;
};

// A lock that is given and taken: record locks belong to the open file, so two
// opens of one file are two owners. A file is locked while there is nothing to
// take; post() unlocks it, and the waiter, which sleeps in F_OFD_SETLKW, has it.
class LockChannel final : public Channel {
public:
    explicit LockChannel(Kernel& k) : Channel(k)
    {
        static std::atomic<int> number{0};
        const std::string name = "/lock-" + std::to_string(++number);
        ours_ = calls.open(name.c_str(), LKL_O_RDWR | LKL_O_CREAT);
        theirs_ = calls.open(name.c_str(), LKL_O_RDWR);
        EXPECT_GE(ours_, 0);
        EXPECT_GE(theirs_, 0);
        EXPECT_EQ(lock(ours_, LKL_F_WRLCK, LKL_F_OFD_SETLK), 0);
    }
    long post() override
    {
        // One post at a time can wait to be taken.
        while (full_.exchange(true))
            std::this_thread::yield();
        return lock(ours_, LKL_F_UNLCK, LKL_F_OFD_SETLK);
    }
    long wait() override
    {
        if (const long result = lock(theirs_, LKL_F_WRLCK, LKL_F_OFD_SETLKW))
            return result;
        if (const long result = lock(theirs_, LKL_F_UNLCK, LKL_F_OFD_SETLK))
            return result;
        const long result = lock(ours_, LKL_F_WRLCK, LKL_F_OFD_SETLK);
        full_ = false;
        return result;
    }

private:
    long lock(long fd, short type, int command)
    {
        struct lkl_flock lock {};
        lock.l_type = type;
        return kernel.syscall(__lkl__NR_fcntl, fd, command, &lock);
    }

    long ours_ = -1, theirs_ = -1;
    std::atomic<bool> full_{false};
};

struct Primitive {
    const char* name;
    std::function<std::unique_ptr<Channel>(Kernel&)> make;
    int rounds;
};

template <typename T, typename... Args>
Primitive primitive(const char* name, int rounds, Args... args)
{
    return {name, [=](Kernel& kernel) { return std::make_unique<T>(kernel, args...); }, rounds};
}

const Primitive primitives[] = {
    primitive<PipeChannel>("pipe", 20000),
    primitive<PollChannel>("poll", 12000),
    primitive<SelectChannel>("select", 12000),
    primitive<EventChannel>("eventfd", 20000),
    primitive<EpollChannel>("epoll", 12000, 0u),
    primitive<EpollChannel>("epoll_edge", 12000, uint32_t{LKL_EPOLLET}),
    primitive<EpollChannel>("epoll_oneshot", 12000, uint32_t{LKL_EPOLLONESHOT}),
    primitive<FutexChannel>("futex", 20000, 0),
    primitive<FutexChannel>("futex_private", 20000, LKL_FUTEX_PRIVATE_FLAG),
    primitive<SignalChannel>("signal", 20000),
    primitive<SignalfdChannel>("signalfd", 12000),
    primitive<InotifyChannel>("inotify", 5000),
    primitive<LockChannel>("file_lock", 6000),
};

class Wakeup : public testing::TestWithParam<Primitive> {
protected:
    Kernel kernel = boot();
    std::unique_ptr<Channel> channel() { return GetParam().make(kernel); }
};

INSTANTIATE_TEST_SUITE_P(By, Wakeup, testing::ValuesIn(primitives),
                         [](const auto& info) { return std::string(info.param.name); });

// One is awake at any time, so that each wake-up that is lost is a hang.
TEST_P(Wakeup, TwoThreadsInTurn)
{
    const Watchdog watchdog(100s, "two threads in turn");
    const auto there = channel();
    const auto back = channel();
    Crew crew;
    crew.add([&] {
        there->attach();
        for (int i = 0; i < GetParam().rounds; ++i) {
            ASSERT_EQ(there->wait(), 0) << i;
            ASSERT_EQ(back->post(), 0) << i;
        }
    });
    crew.add([&] {
        back->attach();
        for (int i = 0; i < GetParam().rounds; ++i) {
            ASSERT_EQ(there->post(), 0) << i;
            ASSERT_EQ(back->wait(), 0) << i;
        }
    });
}

// Two tokens go round five threads: others call and sleep while one is woken.
TEST_P(Wakeup, TokensInARing)
{
    const Watchdog watchdog(100s, "tokens in a ring");
    constexpr size_t threads = 5;
    const int rounds = GetParam().rounds / 4;
    std::array<std::unique_ptr<Channel>, threads> ring;
    for (auto& link : ring)
        link = channel();
    std::atomic<int> attached{0};
    Crew crew;
    crew.add(threads, [&](int i) {
        Channel& in = *ring[static_cast<size_t>(i)];
        Channel& out = *ring[(static_cast<size_t>(i) + 1) % threads];
        in.attach();
        ++attached;
        while (attached < static_cast<int>(threads))
            std::this_thread::yield();
        if (i == 0 || i == 2) {
            ASSERT_EQ(out.post(), 0);
        }
        for (int n = 0; n < rounds; ++n) {
            ASSERT_EQ(in.wait(), 0) << n;
            // The tokens that nobody waits for any more are not passed on.
            if (n < rounds - 1 || (i != 0 && i != 2)) {
                ASSERT_EQ(out.post(), 0) << n;
            }
        }
    });
}

// Four threads post at the same moment, then all is quiet until the fifth has
// taken every post.
TEST_P(Wakeup, BurstsFromManyThreads)
{
    const Watchdog watchdog(100s, "bursts");
    constexpr int posters = 4;
    const int bursts = GetParam().rounds / 5;
    const auto target = channel();
    std::atomic<int> burst{0};
    std::atomic<int> taken{0};
    Crew crew;
    crew.add(posters, [&](int) {
        for (int n = 1; n <= bursts; ++n) {
            while (burst < n)
                std::this_thread::yield();
            ASSERT_EQ(target->post(), 0) << n;
        }
    });
    crew.add([&] {
        target->attach();
        for (int n = 0; n < bursts; ++n) {
            burst = n + 1;
            for (int i = 0; i < posters; ++i) {
                ASSERT_EQ(target->wait(), 0) << n;
                ++taken;
            }
        }
    });
    crew.join();
    EXPECT_EQ(taken, bursts * posters);
}

// One thread sleeps in the kernel and is woken, while the others make one short
// call each; nobody calls again before all are through. An entry that is rung in
// to a thread that leaves at that moment must not get lost.
TEST(WakeupRaces, ShortCallsWhileASleeperLeaves)
{
    const Watchdog watchdog(100s, "short calls beside a sleeper");
    Kernel kernel = boot();
    constexpr int callers = 3;
    constexpr int rounds = 20000;
    PipeChannel pipe(kernel);
    std::atomic<int> round{0};
    std::atomic<int> finished{0};
    const auto wait_for = [](const std::atomic<int>& value, int wanted) {
        // Short of a sleep, so that all start within a microsecond.
        for (int spins = 0; value < wanted; ++spins) {
            if (spins > 2000)
                std::this_thread::yield();
        }
    };
    Crew crew;
    crew.add([&] {
        for (int n = 1; n <= rounds; ++n) {
            wait_for(round, n);
            ASSERT_EQ(pipe.wait(), 0);
            ++finished;
        }
    });
    crew.add(callers, [&](int i) {
        for (int n = 1; n <= rounds; ++n) {
            wait_for(round, n);
            // The sleeper gets a little time to go to sleep, or not.
            for (int pause = 0; pause < (n % 97) * 40; ++pause)
                std::atomic_signal_fence(std::memory_order_seq_cst);
            if (i == 0)
                ASSERT_EQ(pipe.post(), 0);
            else
                ASSERT_EQ(kernel.syscall(__lkl__NR_getpid), 1);
            ++finished;
        }
    });
    for (int n = 1; n <= rounds; ++n) {
        round = n;
        wait_for(finished, n * (callers + 1));
    }
}

// The kernel's own wake-ups, timers, beside those of threads.
TEST(WakeupRaces, TimeoutsBesideWakeups)
{
    const Watchdog watchdog(100s, "timeouts beside wake-ups");
    Kernel kernel = boot();
    std::atomic<uint32_t> word{0};
    std::atomic<bool> stop{false};
    std::atomic<long> timeouts{0};
    std::atomic<long> wakeups{0};
    Crew crew;
    crew.add(6, [&](int i) {
        const TimeSpec limit = to_timespec(std::chrono::microseconds(20 + 30 * i));
        while (!stop) {
            const long n = kernel.syscall(__lkl__NR_futex, &word,
                                          LKL_FUTEX_WAIT | LKL_FUTEX_PRIVATE_FLAG, 0, &limit);
            if (n == 0)
                ++wakeups;
            else if (n == -LKL_ETIMEDOUT)
                ++timeouts;
            else
                ADD_FAILURE() << n;
        }
    });
    crew.add([&] {
        while (!stop) {
            const long n =
                kernel.syscall(__lkl__NR_futex, &word, LKL_FUTEX_WAKE | LKL_FUTEX_PRIVATE_FLAG, 2);
            EXPECT_GE(n, 0);
            std::this_thread::sleep_for(50us);
        }
    });
    for (int i = 0; i < 600 && (i < 30 || timeouts <= 100 || wakeups <= 100); ++i)
        std::this_thread::sleep_for(100ms);
    stop = true;
    crew.join();
    EXPECT_GT(timeouts, 100);
    EXPECT_GT(wakeups, 100);
}

// A lock of three states as the C library makes it, of the kernel's futexes.
TEST(WakeupRaces, AMutexOfFutexesExcludes)
{
    const Watchdog watchdog(100s, "mutex");
    Kernel kernel = boot();
    std::atomic<uint32_t> state{0};  // 0 free, 1 taken, 2 taken and waited for
    long shared = 0;
    constexpr int threads = 8;
    constexpr int rounds = 20000;
    Crew crew;
    crew.add(threads, [&](int) {
        for (int n = 0; n < rounds; ++n) {
            uint32_t free = 0;
            if (!state.compare_exchange_strong(free, 1)) {
                while (state.exchange(2) != 0) {
                    const long slept =
                        kernel.syscall(__lkl__NR_futex, &state,
                                       LKL_FUTEX_WAIT | LKL_FUTEX_PRIVATE_FLAG, 2, nullptr);
                    ASSERT_TRUE(slept == 0 || slept == -LKL_EAGAIN) << slept;
                }
            }
            const long seen = shared;
            if (n % 64 == 0)
                std::this_thread::yield();
            shared = seen + 1;
            if (state.exchange(0) == 2) {
                ASSERT_GE(kernel.syscall(__lkl__NR_futex, &state,
                                         LKL_FUTEX_WAKE | LKL_FUTEX_PRIVATE_FLAG, 1),
                          0);
            }
        }
    });
    crew.join();
    EXPECT_EQ(shared, long{threads} * rounds);
}

// A condition variable's way: many sleep on one word, are moved to another, and
// woken there one by one.
TEST(WakeupRaces, RequeuedSleepersAreAllWoken)
{
    const Watchdog watchdog(60s, "requeue");
    Kernel kernel = boot();
    constexpr int threads = 8;
    for (int round = 0; round < 100; ++round) {
        std::atomic<uint32_t> first{0};
        std::atomic<uint32_t> second{0};
        std::atomic<int> awake{0};
        Crew crew;
        crew.add(threads, [&](int) {
            const long n = kernel.syscall(__lkl__NR_futex, &first,
                                          LKL_FUTEX_WAIT | LKL_FUTEX_PRIVATE_FLAG, 0, nullptr);
            EXPECT_EQ(n, 0);
            ++awake;
        });
        int seen = 0;
        while (seen < threads) {
            // Wakes one, moves the others.
            const long n =
                kernel.syscall(__lkl__NR_futex, &first,
                               LKL_FUTEX_CMP_REQUEUE | LKL_FUTEX_PRIVATE_FLAG, 1, 100, &second, 0);
            ASSERT_GE(n, 0);
            seen += static_cast<int>(n);
        }
        while (awake < threads) {
            ASSERT_GE(kernel.syscall(__lkl__NR_futex, &second,
                                     LKL_FUTEX_WAKE | LKL_FUTEX_PRIVATE_FLAG, 1),
                      0);
        }
    }
}

// All data arrives, once and in order, however small the pipe and the pieces.
TEST(WakeupRaces, PipesCarryEveryByteInOrder)
{
    const Watchdog watchdog(100s, "pipe data");
    Kernel kernel = boot();
    static constexpr size_t total = 4 << 20;
    Crew crew;
    for (int pair = 0; pair < 3; ++pair) {
        std::array<int, 2> fds{};
        ASSERT_EQ(Calls(kernel).pipe(fds.data()), 0);
        ASSERT_GE(kernel.syscall(__lkl__NR_fcntl, fds[1], LKL_F_SETPIPE_SZ, 4096), 0);
        crew.add([&kernel, fds] {
            std::vector<uint8_t> data(7001);
            size_t sent = 0;
            while (sent < total) {
                const size_t size = std::min(data.size() - sent % 6000, total - sent);
                for (size_t i = 0; i < size; ++i)
                    data[i] = static_cast<uint8_t>((sent + i) * 31 >> 3);
                const long n = Calls(kernel).write(fds[1], data.data(), size);
                ASSERT_EQ(n, static_cast<long>(size));
                sent += size;
            }
            EXPECT_EQ(Calls(kernel).close(fds[1]), 0);
        });
        crew.add([&kernel, fds] {
            std::vector<uint8_t> data(5003);
            size_t got = 0;
            long n;
            while ((n = Calls(kernel).read(fds[0], data.data(), data.size())) > 0) {
                for (size_t i = 0; i < static_cast<size_t>(n); ++i)
                    ASSERT_EQ(data[i], static_cast<uint8_t>((got + i) * 31 >> 3)) << got + i;
                got += static_cast<size_t>(n);
            }
            EXPECT_EQ(n, 0);
            EXPECT_EQ(got, total);
        });
    }
}

}  // namespace
}  // namespace lkl::test
