// SPDX-License-Identifier: GPL-2.0-only
// What each system call says to a bad pointer.
// The host's kernel is given the same call with the same memory.
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <functional>
#include <limits>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/uio.h>

#include <lkl/linux/futex.h>

#include "boot/bad_pointers.hpp"

namespace lkl::test {
namespace {

// A call that is given one pointer; what it has to say to a good one is not asked.
struct PointerCall {
    const char* name;
    bool writes;  // to the memory, so that a read-only page is bad as well
    std::function<long(const Side&, void*)> call;
    bool optional = false;  // null means that there is none
};

std::vector<PointerCall> pointer_calls(const Files& f)
{
    const auto call = [](const char* name, bool writes, auto body, bool optional = false) {
        return PointerCall{name, writes, body, optional};
    };
    return {
        call("pread of a file", true,
             [&f](const Side& s, void* p) { return s(NUMBER(pread64), f.file, p, 8, 0); }),
        call("pwrite of a file", false,
             [&f](const Side& s, void* p) { return s(NUMBER(pwrite64), f.file, p, 8, 0); }),
        call("read of a pipe", true,
             [&f](const Side& s, void* p) { return s(NUMBER(read), f.pipe[0], p, 1); }),
        call("write of a pipe", false,
             [&f](const Side& s, void* p) { return s(NUMBER(write), f.pipe[1], p, 1); }),
        call("readv, the vector", false,
             [&f](const Side& s, void* p) { return s(NUMBER(preadv), f.file, p, 1, 0, 0); }),
        call("readv, the buffer", true,
             [&f](const Side& s, void* p) {
                 iovec vector{p, 8};
                 return s(NUMBER(preadv), f.file, &vector, 1, 0, 0);
             }),
        call("recvfrom", true,
             [&f](const Side& s, void* p) {
                 return s(NUMBER(recvfrom), f.sockets[0], p, 4, MSG_PEEK, nullptr, nullptr);
             }),
        call("sendto", false,
             [&f](const Side& s, void* p) {
                 return s(NUMBER(sendto), f.sockets[0], p, 4, 0, nullptr, 0);
             }),
        call("sendmsg", false,
             [&f](const Side& s, void* p) { return s(NUMBER(sendmsg), f.sockets[0], p, 0); }),
        call("getsockname", true,
             [&f](const Side& s, void* p) {
                 int length = 100;
                 return s(NUMBER(getsockname), f.sockets[0], p, &length);
             }),
        call("getsockname, the length", true,
             [&f](const Side& s, void* p) {
                 char name[100];
                 return s(NUMBER(getsockname), f.sockets[0], name, p);
             }),
        call("setsockopt", false,
             [&f](const Side& s, void* p) {
                 return s(NUMBER(setsockopt), f.sockets[0], SOL_SOCKET, SO_KEEPALIVE, p, 4);
             }),
        call("openat", false,
             [](const Side& s, void* p) { return s(NUMBER(openat), AT_FDCWD, p, O_RDONLY); }),
        call("stat, the name", false,
             [](const Side& s, void* p) {
                 char stat[256];
                 return s(nr_stat, AT_FDCWD, p, stat, 0);
             }),
        call("stat", true, [](const Side& s, void* p) { return s(nr_stat, AT_FDCWD, "/", p, 0); }),
        call("statx", true,
             [](const Side& s, void* p) { return s(NUMBER(statx), AT_FDCWD, "/", 0, 0x7ff, p); }),
        call("statfs", true, [](const Side& s, void* p) { return s(NUMBER(statfs), "/", p); }),
        call("getcwd", true, [](const Side& s, void* p) { return s(NUMBER(getcwd), p, 4096); }),
        call("getdents64", true,
             [&f](const Side& s, void* p) { return s(NUMBER(getdents64), f.root, p, 4096); }),
        call("ioctl FIONREAD", true,
             [&f](const Side& s, void* p) { return s(NUMBER(ioctl), f.pipe[0], FIONREAD, p); }),
        call("fcntl F_GETLK", true,
             [&f](const Side& s, void* p) { return s(NUMBER(fcntl), f.file, F_GETLK, p); }),
        call("pipe2", true, [](const Side& s, void* p) { return s(NUMBER(pipe2), p, 0); }),
        call("uname", true, [](const Side& s, void* p) { return s(NUMBER(uname), p); }),
        call("sysinfo", true, [](const Side& s, void* p) { return s(NUMBER(sysinfo), p); }),
        call("getrandom", true,
             [](const Side& s, void* p) { return s(NUMBER(getrandom), p, 8, 0); }),
        call("prctl PR_GET_NAME", true,
             [](const Side& s, void* p) { return s(NUMBER(prctl), PR_GET_NAME, p, 0, 0, 0); }),
        call(
            "prlimit64", true,
            [](const Side& s, void* p) {
                return s(NUMBER(prlimit64), 0, RLIMIT_NOFILE, nullptr, p);
            },
            true),
        call("getresuid, the second", true,
             [](const Side& s, void* p) {
                 int id;
                 return s(NUMBER(getresuid), &id, p, &id);
             }),
        call("clock_gettime", true,
             [](const Side& s, void* p) { return s(NUMBER(clock_gettime), 1, p); }),
        call("nanosleep", false,
             [](const Side& s, void* p) { return s(NUMBER(nanosleep), p, nullptr); }),
        call("timer_create", true,
             [](const Side& s, void* p) { return s(NUMBER(timer_create), 1, nullptr, p); }),
        call("getitimer", true, [](const Side& s, void* p) { return s(NUMBER(getitimer), 0, p); }),
        call(
            "rt_sigprocmask, the old set", true,
            [](const Side& s, void* p) { return s(NUMBER(rt_sigprocmask), 0, nullptr, p, 8); },
            true),
        call("epoll_ctl", false,
             [&f](const Side& s, void* p) {
                 return s(NUMBER(epoll_ctl), f.epoll, 1, f.sockets[0], p);
             }),
        call("epoll_pwait", true,
             [&f](const Side& s, void* p) {
                 return s(NUMBER(epoll_pwait), f.epoll, p, 1, 0, nullptr, 8);
             }),
        call("ppoll", false,
             [](const Side& s, void* p) {
                 timespec none{};
                 return s(NUMBER(ppoll), p, 1, &none, nullptr, 8);
             }),
        call(
            "pselect6", false,
            [](const Side& s, void* p) {
                timespec none{};
                return s(NUMBER(pselect6), 4, p, nullptr, nullptr, &none, nullptr);
            },
            true),
        call("futex", false,
             [](const Side& s, void* p) {
                 timespec none{};
                 return s(NUMBER(futex), reinterpret_cast<uintptr_t>(p) & ~3ul,
                          LKL_FUTEX_WAIT | LKL_FUTEX_PRIVATE_FLAG, 1, &none, nullptr, 0);
             }),
        call("symlinkat", false,
             [](const Side& s, void* p) { return s(NUMBER(symlinkat), p, AT_FDCWD, "/x"); }),
        call("setxattr, the value", false,
             [&f](const Side& s, void* p) {
                 return s(NUMBER(fsetxattr), f.file, "user.x", p, 8, 0);
             }),
    };
}

// Out of any program's reach: found by looking at the number.
const uintptr_t out_of_range[] = {
    0,
    1,
    8,
    page - 1,
    0x00007ffffffff000,  // the first page that is not the program's
    0x0000800000000000,  // not canonical
    0x0123456789abcdef,
    0x8000000000000001,
    0xffff800000000000,  // the kernel's on any x86-64
    0xffffffff80000000,
    std::numeric_limits<uintptr_t>::max() - 4095,
    std::numeric_limits<uintptr_t>::max(),
};

void expect_fault(const std::vector<PointerCall>& calls, const Side& side, void* pointer)
{
    for (const PointerCall& c : calls) {
        if (pointer || !c.optional) {
            EXPECT_EQ(c.call(side, pointer), -EFAULT) << c.name << " at " << pointer;
        }
    }
}

TEST(BadPointers, OutOfRangeAreRefusedWithoutHelp)
{
    Kernel kernel = boot();
    const Side side(kernel);
    const Files files(side);
    const auto calls = pointer_calls(files);
    for (const uintptr_t address : out_of_range)
        expect_fault(calls, side, reinterpret_cast<void*>(address));
}

// A buffer that begins well and whose length leads out of range.
TEST(BadPointers, LengthsThatLeadOutOfRangeAreRefusedWithoutHelp)
{
    Kernel kernel = boot();
    const Side host;
    const Side side(kernel);
    const Files files(side);
    const Files host_files(host);
    Edge edge;
    for (const long length : {std::numeric_limits<long>::max(), long{-1}, long{-4096}}) {
        for (uint8_t* at : {edge.start(), edge.before_end(1)}) {
            const long result = side(NUMBER(pread64), files.file, at, length, 0);
            EXPECT_EQ(result, host(NUMBER(pread64), host_files.file, at, length, 0)) << length;
            EXPECT_LT(result, 0);
        }
    }
}

// Without address space randomisation the main thread's stack ends there.
TEST(BadPointers, TheLastPageOfAnApplicationIsNoneOfThem)
{
    constexpr uintptr_t last_page = 0x7fffffffe000;
    const void* const mapped =
        ::mmap(reinterpret_cast<void*>(last_page), page, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (mapped == MAP_FAILED && errno == EEXIST)
        GTEST_SKIP() << "something is there already";
    ASSERT_EQ(mapped, reinterpret_cast<void*>(last_page));
    {
        Kernel kernel = boot();
        const Side side(kernel);
        int* const end = reinterpret_cast<int*>(last_page + page);
        ASSERT_EQ(side(NUMBER(pipe2), end - 2, 0), 0);
        EXPECT_EQ(side(NUMBER(write), end[-1], end - 1, sizeof(int)), 4);
        EXPECT_EQ(side(NUMBER(ioctl), end[-2], FIONREAD, end - 1), 0);
        EXPECT_EQ(end[-1], 4);
        EXPECT_EQ(side(NUMBER(ioctl), end[-2], FIONREAD, reinterpret_cast<char*>(end) - 3),
                  -EFAULT);
    }
    ::munmap(reinterpret_cast<void*>(last_page), page);
}

// The calls themselves are right: the host's kernel says the same to each pointer.
TEST(BadPointers, TheHostRefusesTheSame)
{
    const Side host;
    const Files files(host);
    const auto calls = pointer_calls(files);
    for (const uintptr_t address : out_of_range)
        expect_fault(calls, host, reinterpret_cast<void*>(address));
    Edge edge;
    expect_fault(calls, host, edge.forbidden());
}

TEST_F(Faults, EveryCallSaysEfault)
{
    const auto calls = pointer_calls(files);
    for (const uintptr_t address : out_of_range)
        expect_fault(calls, side, reinterpret_cast<void*>(address));
    // Unmapped, without access, and nearly good.
    auto* const around = static_cast<uint8_t*>(
        ::mmap(nullptr, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(around, MAP_FAILED);
    void* const hole = around + page;  // too small for what another thread maps meanwhile
    ASSERT_EQ(::munmap(hole, page), 0);
    expect_fault(calls, side, hole);
    expect_fault(calls, side, edge.forbidden());
    expect_fault(calls, side, edge.forbidden() + 1);
    EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), 1);
}

TEST_F(Faults, ReadOnlyMemoryIsNotWritten)
{
    const auto calls = pointer_calls(files);
    // Zeroes are good input where a call reads before it writes.
    ASSERT_EQ(::mprotect(edge.start(), 2 * page, PROT_READ), 0);
    for (const PointerCall& c : calls) {
        if (c.writes) {
            EXPECT_EQ(c.call(side, edge.start() + 16), -EFAULT) << c.name;
        }
    }
    for (size_t i = 0; i < 2 * page; ++i)
        ASSERT_EQ(edge.start()[i], 0) << i;
}

// Names that end at the edge or go beyond it, as the host takes them.
TEST_F(Faults, StringsUpToTheEdge)
{
    for (size_t length = 1; length < 100; ++length) {
        uint8_t* const name = edge.before_end(length);
        std::memset(name, 'n', length);
        for (const bool terminated : {true, false}) {
            edge.before_end(1)[0] = terminated ? 0 : 'n';
            const long ours = side(NUMBER(openat), AT_FDCWD, name, O_RDONLY);
            EXPECT_EQ(ours, host(NUMBER(openat), AT_FDCWD, name, O_RDONLY)) << length;
            EXPECT_EQ(ours, terminated ? -ENOENT : -EFAULT) << length;
        }
    }
    // Too long is said before the edge is seen.
    std::memset(edge.start(), 'n', 2 * page);
    for (const size_t length : {4094, 4095, 4096, 4097, 8000}) {
        uint8_t* const name = edge.before_end(length);
        EXPECT_EQ(side(NUMBER(openat), AT_FDCWD, name, O_RDONLY),
                  host(NUMBER(openat), AT_FDCWD, name, O_RDONLY))
            << length;
    }
}

// Pages of a file that ends before them: a bus error.
TEST_F(Faults, MappedFilesThatWereCutOff)
{
    const int file = ::memfd_create("cut", MFD_CLOEXEC);
    ASSERT_GE(file, 0);
    ASSERT_EQ(::ftruncate(file, 2 * page), 0);
    auto* const map = static_cast<uint8_t*>(
        ::mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    ASSERT_NE(map, MAP_FAILED);
    ASSERT_EQ(::ftruncate(file, page), 0);
    expect_fault(pointer_calls(files), side, map + page);
    for (size_t good = 0; good < 40; ++good) {
        uint8_t* const at = map + page - good;
        const long ours = side(NUMBER(pwrite64), files.file, at, 100, 0);
        EXPECT_EQ(ours, host(NUMBER(pwrite64), host_files.file, at, 100, 0)) << good;
        EXPECT_EQ(ours, good ? static_cast<long>(good) : -EFAULT) << good;
    }
    ::munmap(map, 2 * page);
    ::close(file);
}

// The bad pointer of a thread that sleeps is met by the thread that carries it on.
TEST_F(Faults, OfAnotherThreadsCall)
{
    std::array<int, 2> fds{};
    ASSERT_EQ(side(NUMBER(pipe2), fds.data(), 0), 0);
    for (int round = 0; round < 200; ++round) {
        std::atomic<bool> asked{false};
        Crew crew;
        crew.add([&] {
            asked = true;
            EXPECT_EQ(side(NUMBER(read), fds[0], edge.forbidden(), 1), -EFAULT);
            char byte = 0;
            EXPECT_EQ(side(NUMBER(read), fds[0], &byte, 1), 1);
        });
        while (!asked)
            std::this_thread::yield();
        if (round % 2)
            std::this_thread::sleep_for(100us);
        EXPECT_EQ(side(NUMBER(write), fds[1], "x", 1), 1);
    }
}

TEST_F(Faults, OfManyThreadsAtOnce)
{
    Crew crew;
    crew.add(8, [&](int i) {
        Edge mine;
        std::array<int, 2> fds{};
        ASSERT_EQ(side(NUMBER(pipe2), fds.data(), 0), 0);
        for (int n = 0; n < 2000; ++n) {
            const auto good = static_cast<size_t>((n + i) % 9);
            EXPECT_EQ(side(NUMBER(pwrite64), files.file, mine.before_end(good), 9,
                           page * static_cast<size_t>(i)),
                      good ? static_cast<long>(good) : -EFAULT);
            EXPECT_EQ(side(NUMBER(write), fds[1], mine.forbidden(), 1), -EFAULT);
            EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), 1);
        }
    });
}

TEST_F(Faults, WithASignalStackOfTheProgram)
{
    std::thread([&] {
        std::vector<char> memory(64 << 10);
        stack_t stack{};
        stack.ss_sp = memory.data();
        stack.ss_size = memory.size();
        stack_t old{};
        ASSERT_EQ(::sigaltstack(&stack, &old), 0);
        expect_fault(pointer_calls(files), side, edge.forbidden());
        EXPECT_EQ(::sigaltstack(&old, nullptr), 0);
    }).join();
}

TEST_F(Faults, OfSeveralKernels)
{
    Kernel second = boot(opted_in());
    const Side other(second);
    const Files other_files(other);
    expect_fault(pointer_calls(other_files), other, edge.forbidden());
    expect_fault(pointer_calls(files), side, edge.forbidden());
    EXPECT_TRUE(second.halt());
    expect_fault(pointer_calls(files), side, edge.forbidden());
}

}  // namespace
}  // namespace lkl::test
