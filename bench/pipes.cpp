// SPDX-License-Identifier: GPL-2.0-only
// A blocking round trip: two threads of a program send a byte back and forth over
// two pipes, each sleeps in read(2) until the other writes. The peer is the same
// program over the host's pipes. Where the threads run is left to the host.
#include <array>
#include <cstring>
#include <stdexcept>
#include <thread>

#include <lkl/asm/unistd.h>
#include <unistd.h>

#include "figures.hpp"
#include "guest.hpp"
#include "harness.hpp"

namespace bench {

namespace {

constexpr int round_trips = 20'000;

struct HostPipes {
    void make(std::array<int, 2>& ends) const
    {
        if (::pipe(ends.data()) != 0)
            throw std::runtime_error("pipe");
    }
    long read(int fd, char* byte) const { return ::read(fd, byte, 1); }
    long write(int fd, const char* byte) const { return ::write(fd, byte, 1); }
    void close(int fd) const { ::close(fd); }
};

struct OurPipes {
    lkl::Kernel& kernel;

    void make(std::array<int, 2>& ends) const
    {
        if (kernel.syscall(__lkl__NR_pipe2, ends.data(), 0) != 0)
            throw std::runtime_error("pipe2 of our kernel");
    }
    long read(int fd, char* byte) const { return kernel.syscall(__lkl__NR_read, fd, byte, 1); }
    long write(int fd, const char* byte) const
    {
        return kernel.syscall(__lkl__NR_write, fd, byte, 1);
    }
    void close(int fd) const { kernel.syscall(__lkl__NR_close, fd); }
};

// Microseconds of a round trip.
template <typename Pipes>
double round_trip(const Pipes& pipes)
{
    std::array<int, 2> there, back;
    pipes.make(there);
    pipes.make(back);
    bool good = true;
    double time = 0;
    std::thread other([&] {
        char byte = 0;
        while (pipes.read(there[0], &byte) == 1 && byte == 'x')
            pipes.write(back[1], &byte);
    });
    const auto play = [&](int times) {
        char byte = 'x';
        for (int i = 0; i < times; ++i)
            good = good && pipes.write(there[1], &byte) == 1 && pipes.read(back[0], &byte) == 1;
    };
    play(100);
    time = seconds([&play] { play(round_trips); });
    const char end = '.';
    pipes.write(there[1], &end);
    other.join();
    for (const int fd : {there[0], there[1], back[0], back[1]})
        pipes.close(fd);
    if (!good)
        throw std::runtime_error("a byte was lost in a pipe");
    return time * 1e6 / round_trips;
}

}  // namespace

void measure_pipes(Run& run)
{
    Guest guest;
    run.add(
        {.name = "blocking round trip of two threads, pipes",
         .unit = "us",
         .peer_name = "the same over pipes of the host",
         .target = ratio_at_most(1.3)},
        [&guest] { return round_trip(OurPipes{guest.kernel()}); },
        [] { return round_trip(HostPipes{}); });
    guest.halt();
}

}  // namespace bench
