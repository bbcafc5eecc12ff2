// SPDX-License-Identifier: GPL-2.0-only
// What 1,000 TCP connections of our kernel's cost that the host has opened over a tap
// interface, each of which has carried a byte both ways: memory, and time of the processor
// and wake-ups of host threads while nobody uses them. Without a peer.
//
// Neither kernel has IPv6 on that interface, which looks for routers and tells of groups for
// minutes.
#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <lkl/asm-generic/fcntl.h>
#include <lkl/file.hpp>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/resource.h>
#include <lkl/linux/sysinfo.h>
#include <lkl/net.hpp>
#include <sys/resource.h>
#include <unistd.h>

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
constexpr auto idling = std::chrono::seconds(10);

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

// Of all threads but this one: each slept and was woken.
double wakeups()
{
    double sum = 0;
    const std::string self = std::to_string(::gettid());
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
        if (thread.path().filename() == self)
            continue;
        std::ifstream status(thread.path() / "status");
        const std::string wanted = "voluntary_ctxt_switches:";
        for (std::string line; std::getline(status, line);) {
            if (line.starts_with(wanted))
                sum += std::stod(line.substr(wanted.size()));
        }
    }
    return sum;
}

void do_without_ipv6(Guest& guest)
{
    // The host's, of its namespace.
    std::ofstream("/proc/sys/net/ipv6/conf/default/disable_ipv6") << "1";
    guest.kernel().syscall(__lkl__NR_mkdirat, LKL_AT_FDCWD, "/proc", 0755);
    guest.call("mounting proc", __lkl__NR_mount, "proc", "/proc", "proc", 0, nullptr);
    const auto setting = value_of(lkl::File::open(
        guest.kernel(), "/proc/sys/net/ipv6/conf/default/disable_ipv6", LKL_O_WRONLY));
    value_of(setting.write(std::as_bytes(std::span("1", 1))));
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
    do_without_ipv6(guest);
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

    const double woken_before = wakeups();
    const double start = processor_seconds();
    std::this_thread::sleep_for(idling);
    const double used = processor_seconds() - start;
    const double woken = wakeups() - woken_before;
    const double after = memory_used(guest);
    const auto seconds = static_cast<double>(idling.count());
    run.add({.name = "memory of an idle TCP connection",
             .unit = "B",
             .ours = {(after - before) / connections},
             .target = at_most(16 << 10)});
    // None, but for what reading the clock and one sleep of this thread take.
    run.add({.name = "processor's time while 1,000 connections are idle",
             .unit = "ms/s",
             .ours = {used * 1e3 / seconds},
             .target = at_most(0.1)});
    run.add({.name = "wake-ups while 1,000 connections are idle",
             .unit = "1/s",
             .ours = {woken / seconds},
             .target = at_most(0.2)});
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
