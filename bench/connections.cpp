// SPDX-License-Identifier: GPL-2.0-only
// What 1,000 TCP connections of our kernel's cost that the host has opened over a tap
// interface, each of which has carried a byte both ways: memory, and time of the processor
// while nobody uses them. Without a peer.
#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <lkl/linux/resource.h>
#include <lkl/linux/sysinfo.h>
#include <lkl/net.hpp>
#include <sys/resource.h>

#include "figures.hpp"
#include "harness.hpp"
#include "stacks.hpp"

namespace bench {

namespace {

constexpr size_t connections = 1000;
constexpr rlim_t descriptors = 4096;
constexpr uint16_t port = 20'000;
constexpr const char* tap = "lklbench";
constexpr const char* tap_host = "10.9.1.1";
constexpr const char* tap_ours = "10.9.1.2";
// As long as idle.cpp waits for what a socket leaves behind.
constexpr auto settling = std::chrono::seconds(12);
constexpr auto idling = std::chrono::seconds(5);

void allow_descriptors(Guest& guest)
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < descriptors)
        throw Skipped("needs " + std::to_string(descriptors) + " descriptors");
    limit.rlim_cur = std::max(limit.rlim_cur, descriptors);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    const lkl_rlimit64 ours{descriptors, descriptors};
    guest.call("prlimit", __lkl__NR_prlimit64, 0, LKL_RLIMIT_NOFILE, &ours, nullptr);
}

// What of the kernel's memory is in use, in bytes.
double memory_used(Guest& guest)
{
    lkl_sysinfo info{};
    guest.call("sysinfo", __lkl__NR_sysinfo, &info);
    return static_cast<double>(info.totalram - info.freeram) * info.mem_unit;
}

double processor_seconds()
{
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// Opens one more, and sends a byte there and back.
void open_one(Stack& from, Stack& to, long listener, std::vector<long>& near,
              std::vector<long>& far)
{
    near.push_back(must(from.socket(SOCK_STREAM), "socket"));
    must(from.connect(near.back(), to_address(tap_ours, port)), "connect");
    far.push_back(must(to.accept(listener), "accept"));
    char byte = 'x';
    must(from.send(near.back(), &byte, 1), "send");
    must(to.recv(far.back(), &byte, 1), "recv");
    must(to.send(far.back(), &byte, 1), "send");
    must(from.recv(near.back(), &byte, 1), "recv");
}

void measure(Run& run, Guest& guest)
{
    // The host would look for routers and tell of groups meanwhile.
    std::ofstream("/proc/sys/net/ipv6/conf/default/disable_ipv6") << "1";
    Host host;
    Ours ours(guest.kernel());
    allow_descriptors(guest);
    const auto device = value_of(lkl::NetDevice::add(guest.kernel(), value_of(lkl::open_tap(tap))));
    configure(host, tap, tap_host);
    configure(ours, "eth0", tap_ours);
    const long listener = must(ours.socket(SOCK_STREAM), "socket");
    must(ours.bind(listener, to_address(tap_ours, port)), "bind");
    must(ours.listen(listener), "listen");

    std::vector<long> near, far;
    open_one(host, ours, listener, near, far);  // what the first one alone needs
    const double before = memory_used(guest);
    while (far.size() <= connections)
        open_one(host, ours, listener, near, far);
    std::this_thread::sleep_for(settling);
    const double after = memory_used(guest);
    run.add({.name = "memory of an idle TCP connection",
             .unit = "B",
             .ours = {(after - before) / connections},
             .target = at_most(16 << 10)});

    const double start = processor_seconds();
    std::this_thread::sleep_for(idling);
    const double used = processor_seconds() - start;
    // None, but for what reading the clock and one sleep of this thread take.
    run.add({.name = "processor's time while 1,000 connections are idle",
             .unit = "ms/s",
             .ours = {used * 1e3 / static_cast<double>(idling.count())},
             .target = at_most(0.1)});
    for (size_t i = 0; i < far.size(); ++i) {
        host.close(near[i]);
        ours.close(far[i]);
    }
    ours.close(listener);
}

}  // namespace

void measure_connections(Run& run)
{
    in_new_namespace([&run] {
        Guest guest;
        measure(run, guest);
        guest.halt();
    });
}

}  // namespace bench
