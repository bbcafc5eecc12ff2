// SPDX-License-Identifier: GPL-2.0-only
// Bytes a second by BBR and by CUBIC from our kernel to the host, over a tap interface with
// 1 % of the packets lost and 20 ms of delay, by netem inside our kernel. Without a target:
// the network is what is slow.
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <lkl/net.hpp>
#include <lkl/netlink.hpp>

#include "figures.hpp"
#include "harness.hpp"
#include "stacks.hpp"

namespace bench {

namespace {

constexpr const char* tap_host = "10.9.1.1";
constexpr const char* tap_ours = "10.9.1.2";
constexpr const char* network = "netem limit 10000 delay 20ms loss 1%";
constexpr size_t chunk = 256 << 10;
constexpr double duration = 4;  // seconds

double transfer(Stack& ours, Stack& host, const char* algorithm)
{
    Connection connection(ours, host, tap_host);
    must(ours.set(connection.near, IPPROTO_TCP, TCP_CONGESTION, algorithm,
                  static_cast<unsigned>(std::strlen(algorithm))),
         algorithm);
    // What the congestion window is, and not the socket's buffer, is to count.
    const int buffer = 8 << 20;
    must(ours.set(connection.near, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer), "buffer");
    const double start = now();
    size_t received = 0;
    std::thread receiver([&] {
        std::vector<char> data(chunk);
        long n = 0;
        while (now() - start < duration && (n = host.recv(connection.far, data.data(), chunk)) > 0)
            received += static_cast<size_t>(n);
        // A reset: the sender waits no longer.
        const linger at_once{1, 0};
        host.set(connection.far, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        host.close(connection.far);
    });
    const std::vector<char> data(chunk, 'x');
    while (ours.send(connection.near, data.data(), chunk) > 0)
        continue;
    receiver.join();
    connection.far = -1;
    return static_cast<double>(received) / duration;
}

void measure(Run& run, Guest& guest)
{
    Host host;
    Ours ours(guest.kernel());
    lkl::NetOptions options;
    options.transmit_offload = 0;
    const auto device =
        value_of(lkl::NetDevice::add(guest.kernel(), value_of(lkl::open_tap("lklbench")), options));
    configure(host, "lklbench", tap_host);
    configure(ours, "eth0", tap_ours);
    auto net = value_of(lkl::Netlink::open(guest.kernel()));
    // Packets as they are on the wire. TCP makes one of many segments even for a device that
    // cannot cut it, and netem would lose them all at once: then 1 % are not 1 % of what is
    // sent, and losses are too few for CUBIC to suffer.
    check(net.set_gso_segments(device.ifindex(), 1));
    check(net.set_qdisc(device.ifindex(), "root", network));
    run.add(
        {.name = "TCP bulk by BBR, 1 % loss and 20 ms delay",
         .unit = "B/s",
         .peer_name = "by CUBIC, the same"},
        [&] { return transfer(ours, host, "bbr"); }, [&] { return transfer(ours, host, "cubic"); });
}

}  // namespace

void measure_congestion(Run& run)
{
    in_new_namespace([&run] {
        Guest guest;
        measure(run, guest);
        guest.halt();
    });
}

}  // namespace bench
