// SPDX-License-Identifier: GPL-2.0-only
// Memory that ends where nobody may go on, for calls of the host's kernel and of ours.
#pragma once

#include <array>
#include <cstdint>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <support/kernel.hpp>
#include <support/side.hpp>

namespace lkl::test {

constexpr size_t page = 4096;

// The header keeps its name for architectures that ask for it.
constexpr Number nr_stat{SYS_newfstatat, 79};

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

// A file, a pipe, a socket pair and so on of one side, each with a few bytes in it.
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

inline KernelOptions opted_in()
{
    KernelOptions options;
    options.fault_handler = true;
    return options;
}

// A kernel that answers bad pointers with -EFAULT, beside the host.
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

}  // namespace lkl::test
