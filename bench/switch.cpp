// SPDX-License-Identifier: GPL-2.0-only
// A switch between two kernel threads, measured by the kernel itself: they hand a
// completion back and forth (arch/lkl/lib/bench/switch.c).
//
// No program can measure the host's kernel threads. The peer is what comes closest
// and is cheaper than the pipe of `perf bench sched pipe`: two threads of one
// process on one CPU of the host that hand a futex back and forth.
#include <atomic>
#include <cstdio>
#include <thread>

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "figures.hpp"
#include "guest.hpp"
#include "harness.hpp"

namespace bench {

namespace {

constexpr int round_trips = 20'000;

void wait_while(std::atomic<uint32_t>& word, uint32_t value)
{
    while (word.load() == value)
        ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}

void set(std::atomic<uint32_t>& word, uint32_t value)
{
    word.store(value);
    ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

void bind(const cpu_set_t& cpus)
{
    ::sched_setaffinity(0, sizeof cpus, &cpus);
}

// Nanoseconds a switch.
double host_switch()
{
    cpu_set_t all, one;
    ::sched_getaffinity(0, sizeof all, &all);
    CPU_ZERO(&one);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu) {
        if (CPU_ISSET(cpu, &all))
            CPU_SET(cpu, &one);
    }
    bind(one);  // the thread below inherits it
    std::atomic<uint32_t> turn{0};
    const double time = seconds([&turn] {
        std::thread other([&turn] {
            for (int i = 0; i < round_trips; ++i) {
                wait_while(turn, 0);
                set(turn, 0);
            }
        });
        for (int i = 0; i < round_trips; ++i) {
            set(turn, 1);
            wait_while(turn, 1);
        }
        other.join();
    });
    bind(all);
    return time * 1e9 / (2 * round_trips);
}

double our_switch(Guest& guest)
{
    const std::string text = guest.read_text("/sys/module/lkl_bench/parameters/switch");
    double switches = 0, nanoseconds = 0;
    if (std::sscanf(text.c_str(), "%lf %lf", &switches, &nanoseconds) != 2)
        throw std::runtime_error("unexpected answer of the kernel: " + text);
    return nanoseconds / switches;
}

}  // namespace

void measure_switch(Run& run)
{
    Guest guest;
    guest.mount_sysfs();
    if (!guest.has("/sys/module/lkl_bench/parameters/switch"))
        throw Skipped("the kernel is built without CONFIG_LKL_BENCH");
    run.add(
        {.name = "switch between two kernel threads",
         .unit = "ns",
         .peer_name = "two threads of the host on one CPU, by futex",
         .target = at_most(300)},
        [&guest] { return our_switch(guest); }, host_switch);
    guest.halt();
}

}  // namespace bench
