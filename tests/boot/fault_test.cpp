// SPDX-License-Identifier: GPL-2.0-only
// Bad pointers: what a system call says to them, and where all other faults go.
// The host's kernel is given the same call with the same memory.
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csetjmp>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <lkl/linux/futex.h>

#include <support/kernel.hpp>

namespace lkl::test {
namespace {

constexpr size_t page = 4096;

// A system call by its numbers on the host and in the library.
struct Number {
    long host, lkl;
};
#define NUMBER(name)                 \
    Number                           \
    {                                \
        SYS_##name, __lkl__NR_##name \
    }
// The header keeps its name for architectures that ask for it.
constexpr Number nr_stat{SYS_newfstatat, 79};

// Either kernel. Structures and constants that the tests use are the same in both.
class Side {
public:
    Side() = default;
    explicit Side(Kernel& kernel) : kernel_(&kernel) {}

    template <typename... Args>
    long operator()(Number number, Args... args) const
    {
        if (kernel_)
            return kernel_->syscall(number.lkl, args...);
        const long result = ::syscall(number.host, args...);
        return result == -1 ? -errno : result;
    }

private:
    Kernel* kernel_ = nullptr;
};

// Two pages between two that nobody may touch.
class Edge {
public:
    Edge()
    {
        base_ = static_cast<uint8_t*>(
            ::mmap(nullptr, 4 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        EXPECT_NE(base_, MAP_FAILED);
        EXPECT_EQ(::mprotect(base_ + page, 2 * page, PROT_READ | PROT_WRITE), 0);
    }
    ~Edge() { ::munmap(base_, 4 * page); }
    Edge(const Edge&) = delete;
    Edge& operator=(const Edge&) = delete;

    // Where `good` bytes lie before the end.
    uint8_t* before_end(size_t good) { return base_ + 3 * page - good; }
    uint8_t* start() { return base_ + page; }
    uint8_t* forbidden() { return base_ + 3 * page; }

private:
    uint8_t* base_;
};

// A call that is given one pointer; what it has to say to a good one is not asked.
struct PointerCall {
    const char* name;
    bool writes;  // to the memory, so that a read-only page is bad as well
    std::function<long(const Side&, void*)> call;
    bool optional = false;  // null means that there is none
};

struct Files {
    explicit Files(const Side& side) : side(side)
    {
        file = static_cast<int>(side(NUMBER(memfd_create), "faults", 0));
        EXPECT_GE(file, 0);
        EXPECT_EQ(side(NUMBER(pwrite64), file, "0123456789abcdef", 16, 0), 16);
        EXPECT_EQ(side(NUMBER(pipe2), pipe.data(), 0), 0);
        EXPECT_EQ(side(NUMBER(write), pipe[1], "pipe", 4), 4);
        EXPECT_EQ(side(NUMBER(socketpair), AF_UNIX, SOCK_STREAM, 0, sockets.data()), 0);
        EXPECT_EQ(side(NUMBER(write), sockets[1], "sock", 4), 4);
        root = static_cast<int>(side(NUMBER(openat), AT_FDCWD, "/", O_RDONLY));
        EXPECT_GE(root, 0);
        epoll = static_cast<int>(side(NUMBER(epoll_create1), 0));
        EXPECT_GE(epoll, 0);
        struct __attribute__((packed)) {
            uint32_t events;
            uint64_t data;
        } event{1, 7};  // EPOLLIN
        EXPECT_EQ(side(NUMBER(epoll_ctl), epoll, 1, pipe[0], &event), 0);
    }
    ~Files()
    {
        for (const int fd : {file, pipe[0], pipe[1], sockets[0], sockets[1], root, epoll})
            side(NUMBER(close), fd);
    }
    Files(const Files&) = delete;
    Files& operator=(const Files&) = delete;

    const Side side;
    int file, root, epoll;
    std::array<int, 2> pipe{}, sockets{};
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

KernelOptions opted_in()
{
    KernelOptions options;
    options.fault_handler = true;
    return options;
}

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
    constexpr size_t page = 4096;
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

class Faults : public testing::Test {
protected:
    const Watchdog watchdog{120s, "faults"};
    Kernel kernel = boot(opted_in());
    const Side side{kernel};
    const Side host{};
    const Files files{side};
    const Files host_files{host};
    Edge edge;
};

TEST_F(Faults, EveryCallSaysEfault)
{
    const auto calls = pointer_calls(files);
    for (const uintptr_t address : out_of_range)
        expect_fault(calls, side, reinterpret_cast<void*>(address));
    // Unmapped, without access, and nearly good.
    void* const hole = ::mmap(nullptr, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
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

// A transfer with a buffer of which only the first bytes are there.
struct Transfer {
    const char* name;
    bool writes_memory;
    std::function<long(const Side&, const Files&, void*, size_t)> call;
};

const std::vector<Transfer> transfers = {
    {"pread of a file", true,
     [](const Side& s, const Files& f, void* p, size_t n) {
         return s(NUMBER(pread64), f.file, p, n, 3);
     }},
    {"pwrite of a file", false,
     [](const Side& s, const Files& f, void* p, size_t n) {
         return s(NUMBER(pwrite64), f.file, p, n, 100);
     }},
    {"read of a pipe", true,
     [](const Side& s, const Files& f, void* p, size_t n) {
         return s(NUMBER(read), f.pipe[0], p, n);
     }},
    {"write of a pipe", false,
     [](const Side& s, const Files& f, void* p, size_t n) {
         return s(NUMBER(write), f.pipe[1], p, n);
     }},
    {"preadv with a good part first", true,
     [](const Side& s, const Files& f, void* p, size_t n) {
         std::array<char, 16> good;
         iovec vector[2] = {{good.data(), good.size()}, {p, n}};
         return s(NUMBER(preadv), f.file, vector, 2, 0, 0);
     }},
    {"pwritev with a good part first", false,
     [](const Side& s, const Files& f, void* p, size_t n) {
         char good[] = "0123456789abcde";
         iovec vector[2] = {{good, sizeof good}, {p, n}};
         return s(NUMBER(pwritev), f.file, vector, 2, 100, 0);
     }},
    {"pwritev with a good part behind", false,
     [](const Side& s, const Files& f, void* p, size_t n) {
         char good[] = "0123456789abcde";
         iovec vector[2] = {{p, n}, {good, sizeof good}};
         return s(NUMBER(pwritev), f.file, vector, 2, 100, 0);
     }},
    {"getrandom", false,
     [](const Side& s, const Files&, void* p, size_t n) { return s(NUMBER(getrandom), p, n, 0); }},
};

// The contents of both sides' files and pipes after a transfer.
std::string state_of(const Side& side, const Files& files)
{
    std::string state(20000, '\0');
    const long n = side(NUMBER(pread64), files.file, state.data(), state.size(), 0);
    EXPECT_GE(n, 0);
    state.resize(static_cast<size_t>(n));
    std::array<char, 20000> rest;
    state += "|";
    int waiting = 0;
    EXPECT_EQ(side(NUMBER(ioctl), files.pipe[0], FIONREAD, &waiting), 0);
    if (waiting > 0) {
        const long piped = side(NUMBER(read), files.pipe[0], rest.data(), rest.size());
        EXPECT_EQ(piped, waiting);
        state.append(rest.data(), static_cast<size_t>(piped));
    }
    return state;
}

void prepare(const Side& side, const Files& files)
{
    std::vector<char> contents(4000);
    for (size_t i = 0; i < contents.size(); ++i)
        contents[i] = static_cast<char>(i * 7 + i / 256);
    ASSERT_EQ(side(NUMBER(ftruncate), files.file, 0), 0);
    ASSERT_EQ(side(NUMBER(pwrite64), files.file, contents.data(), contents.size(), 0), 4000);
    ASSERT_EQ(side(NUMBER(write), files.pipe[1], contents.data(), 3000), 3000);
}

// What one side makes of a transfer: result, memory, and files.
std::string outcome(const Side& side, const Files& files, const Transfer& transfer, Edge& edge,
                    size_t good, size_t total)
{
    prepare(side, files);
    uint8_t* const at = edge.before_end(good);
    for (size_t i = 0; i < good; ++i)
        at[i] = static_cast<uint8_t>(i * 13 + 1);
    const long result = transfer.call(side, files, at, total);
    std::string what = std::to_string(result) + "|";
    if (transfer.writes_memory)
        what.append(reinterpret_cast<const char*>(at), good);
    return what + "|" + state_of(side, files);
}

TEST_F(Faults, ShortCountsAreTheHosts)
{
    // The fixtures' pipes hold four bytes already.
    std::array<char, 4> first;
    ASSERT_EQ(side(NUMBER(read), files.pipe[0], first.data(), 4), 4);
    ASSERT_EQ(host(NUMBER(read), host_files.pipe[0], first.data(), 4), 4);

    std::vector<std::pair<size_t, size_t>> sizes;  // good bytes, all bytes
    for (size_t total = 1; total <= 40; ++total) {
        for (size_t good = 0; good <= total; ++good)
            sizes.emplace_back(good, total);
    }
    for (const size_t total : {63, 64, 65, 96, 127, 128, 129, 130, 191, 192, 193, 255, 256, 257,
                               511, 512, 1000, 2048, 2999}) {
        for (const size_t good : {size_t{0}, size_t{1}, size_t{15}, size_t{16}, size_t{17},
                                  total / 2, total - 17, total - 16, total - 8, total - 1, total})
            sizes.emplace_back(good, total);
    }
    for (const size_t total : {4095, 4096, 4097, 6000, 8192, 9000}) {
        for (const size_t good : {size_t{0}, size_t{1}, size_t{904}, size_t{2000}, size_t{4095},
                                  size_t{4096}, size_t{4097}, size_t{8191}, size_t{8192}}) {
            if (good <= total)
                sizes.emplace_back(good, total);
        }
    }
    for (const Transfer& transfer : transfers) {
        for (const auto& [good, total] : sizes) {
            const std::string ours = outcome(side, files, transfer, edge, good, total);
            const std::string theirs = outcome(host, host_files, transfer, edge, good, total);
            ASSERT_EQ(ours == theirs, true)
                << transfer.name << ": " << good << " good bytes of " << total << ": "
                << ours.substr(0, ours.find('|')) << ", on the host "
                << theirs.substr(0, theirs.find('|'));
        }
    }
}

// The same in pages of a file that ends: a bus error.
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

// The program's own handler, which goes back to where the test waits.
sigjmp_buf back;
std::atomic<void*> fault_address{nullptr};
std::atomic<int> faults_seen{0};

void own_handler(int, siginfo_t* info, void*)
{
    fault_address = info->si_addr;
    ++faults_seen;
    ::siglongjmp(back, 1);
}

void counting_handler(int, siginfo_t*, void*)
{
    ++faults_seen;
}

class OwnHandler {
public:
    explicit OwnHandler(void (*handler)(int, siginfo_t*, void*))
    {
        struct sigaction action {};
        action.sa_sigaction = handler;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK;
        faults_seen = 0;
        ::sigaction(SIGSEGV, &action, &segv_);
        ::sigaction(SIGBUS, &action, &bus_);
    }
    ~OwnHandler()
    {
        ::sigaction(SIGSEGV, &segv_, nullptr);
        ::sigaction(SIGBUS, &bus_, nullptr);
    }
    OwnHandler(const OwnHandler&) = delete;
    OwnHandler& operator=(const OwnHandler&) = delete;

private:
    struct sigaction segv_, bus_;
};

__attribute__((no_sanitize("address"))) bool faults_at(volatile uint8_t* address)
{
    if (::sigsetjmp(back, 1) == 0) {
        *address = 1;
        return false;
    }
    return fault_address == address;
}

TEST(FaultHandler, TheProgramsOwnFaultsReachItsOwnHandler)
{
    const OwnHandler own(own_handler);
    Edge edge;
    {
        Kernel kernel = boot(opted_in());
        const Side side(kernel);
        EXPECT_TRUE(faults_at(edge.forbidden()));
        EXPECT_EQ(faults_seen, 1);
        EXPECT_EQ(side(NUMBER(uname), edge.forbidden()), -EFAULT);
        EXPECT_EQ(faults_seen, 1);
        EXPECT_TRUE(faults_at(edge.forbidden() + 8));
        EXPECT_EQ(side(NUMBER(uname), edge.forbidden()), -EFAULT);
        EXPECT_EQ(faults_seen, 2);
    }
    // Without a kernel it is the only one again.
    struct sigaction now {};
    ASSERT_EQ(::sigaction(SIGSEGV, nullptr, &now), 0);
    EXPECT_EQ(now.sa_sigaction, own_handler);
    EXPECT_TRUE(faults_at(edge.forbidden()));
}

TEST(FaultHandler, IsNotInstalledUnlessAskedFor)
{
    struct sigaction before {
    }, now{};
    ASSERT_EQ(::sigaction(SIGSEGV, nullptr, &before), 0);
    Kernel kernel = boot();
    ASSERT_EQ(::sigaction(SIGSEGV, nullptr, &now), 0);
    EXPECT_EQ(now.sa_sigaction, before.sa_sigaction);
}

// A signal that somebody sends is no fault, wherever it comes.
TEST(FaultHandler, SignalsThatAreSentGoToTheProgram)
{
    const OwnHandler own(counting_handler);
    Kernel kernel = boot(opted_in());
    ASSERT_EQ(::raise(SIGSEGV), 0);
    EXPECT_EQ(faults_seen, 1);

    std::atomic<bool> stop{false};
    std::atomic<bool> started{false};
    std::thread thread([&] {
        std::vector<uint8_t> data(1 << 20);
        started = true;
        while (!stop)
            EXPECT_EQ(kernel.syscall(__lkl__NR_getrandom, data.data(), data.size(), 0),
                      static_cast<long>(data.size()));
    });
    while (!started)
        std::this_thread::yield();
    for (int i = 0; i < 500; ++i) {
        ASSERT_EQ(::pthread_kill(thread.native_handle(), i % 2 ? SIGSEGV : SIGBUS), 0);
        std::this_thread::sleep_for(200us);
    }
    stop = true;
    thread.join();
    EXPECT_GT(faults_seen, 100);
    EXPECT_EQ(kernel.panic_message(), "");
    EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), 1);
}

class FaultHandlerDeath : public testing::Test {
protected:
    void SetUp() override { testing::FLAGS_gtest_death_test_style = "threadsafe"; }

    // In the child: the default actions, and no core.
    static void plain()
    {
        ::signal(SIGSEGV, SIG_DFL);
        ::signal(SIGBUS, SIG_DFL);
        const rlimit none{};
        ::setrlimit(RLIMIT_CORE, &none);
    }
};

TEST_F(FaultHandlerDeath, AFaultOfTheProgramKillsIt)
{
    EXPECT_EXIT(
        {
            plain();
            Kernel kernel = boot(opted_in());
            Edge edge;
            *static_cast<volatile uint8_t*>(edge.forbidden()) = 1;
            std::exit(0);
        },
        testing::KilledBySignal(SIGSEGV), "");
}

TEST_F(FaultHandlerDeath, ASignalThatIsSentKillsToo)
{
    EXPECT_EXIT(
        {
            plain();
            Kernel kernel = boot(opted_in());
            ::kill(::getpid(), SIGSEGV);
            std::this_thread::sleep_for(5s);
            std::exit(0);
        },
        testing::KilledBySignal(SIGSEGV), "");
}

TEST_F(FaultHandlerDeath, WithoutItABadPointerIsAFault)
{
    EXPECT_EXIT(
        {
            plain();
            Kernel kernel = boot();
            Edge edge;
            Side{kernel}(NUMBER(uname), edge.forbidden());
            std::exit(0);
        },
        testing::KilledBySignal(SIGSEGV), "");
}

// The one mapping of all of the kernel's memory.
struct Memory {
    uint8_t* start = nullptr;
    size_t size = 0;
};

Memory kernel_memory()
{
    Memory memory;
    std::ifstream maps("/proc/self/maps");
    std::string line;
    while (std::getline(maps, line)) {
        uintptr_t start, end;
        char dash;
        std::istringstream in(line);
        in >> std::hex >> start >> dash >> end;
        if (line.find("/memfd:lkl") != std::string::npos && end - start > memory.size)
            memory = {reinterpret_cast<uint8_t*>(start), end - start};
    }
    return memory;
}

void expect_panic(Kernel& kernel, const char* words)
{
    EXPECT_NE(kernel.panic_message().find(words), std::string::npos) << kernel.panic_message();
    EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), -LKL_EIO);
    const auto halted = kernel.halt();
    ASSERT_FALSE(halted);
    EXPECT_EQ(halted.error().code, EIO);
    // The process is none the worse for it.
    EXPECT_EQ(boot(opted_in()).syscall(__lkl__NR_getpid), 1);
}

// A page of the kernel's memory is taken away: the next access is a fault that no
// system call answers for.
TEST(FaultHandler, AFaultOfTheKernelEndsItWithItsLog)
{
    Kernel kernel = boot(opted_in());
    const Side side(kernel);
    const auto file = side(NUMBER(memfd_create), "oops", 0);
    ASSERT_GE(file, 0);
    std::vector<uint8_t> pattern(page);
    for (size_t i = 0; i < page; ++i)
        pattern[i] = static_cast<uint8_t>(i * i + 3 * i + 0x35);
    ASSERT_EQ(side(NUMBER(write), file, pattern.data(), page), static_cast<long>(page));

    const Memory memory = kernel_memory();
    ASSERT_GT(memory.size, 32u << 20);
    uint8_t* found = nullptr;
    for (size_t at = 0; at < memory.size && !found; at += page) {
        if (std::equal(pattern.begin(), pattern.end(), memory.start + at))
            found = memory.start + at;
    }
    ASSERT_NE(found, nullptr);
    ASSERT_EQ(::mprotect(found, page, PROT_READ), 0);
    // Clears the rest of the page.
    EXPECT_EQ(side(NUMBER(ftruncate), file, 100), -EIO);
    expect_panic(kernel, "unable to handle access");
    EXPECT_NE(kernel.panic_message().find("shmem"), std::string::npos) << kernel.panic_message();
}

// All of it: even telling what happened is a fault.
TEST(FaultHandler, AFaultWhileAFaultIsReportedEndsTheKernel)
{
    Kernel kernel = boot(opted_in());
    const Memory memory = kernel_memory();
    ASSERT_GT(memory.size, 32u << 20);
    ASSERT_EQ(::mprotect(memory.start, memory.size, PROT_NONE), 0);
    EXPECT_EQ(Calls(kernel).open("/somewhere", LKL_O_RDONLY), -LKL_EIO);
    expect_panic(kernel, "fault");
}

}  // namespace
}  // namespace lkl::test
