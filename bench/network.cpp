// SPDX-License-Identifier: GPL-2.0-only
// TCP between our kernel and the host's over a tap interface; the peer is the host with
// itself, between two network namespaces that a veth pair joins. And TCP over the
// loopback interface of either.
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <lkl/net.hpp>

#include "figures.hpp"
#include "harness.hpp"
#include "stacks.hpp"

namespace bench {

namespace {

constexpr size_t bulk_bytes = size_t{1} << 30;
constexpr size_t chunk = 256 << 10;
constexpr int round_trips = 10'000;

constexpr const char* tap_host = "10.9.1.1";
constexpr const char* tap_ours = "10.9.1.2";
constexpr const char* veth_near = "10.9.2.1";
constexpr const char* veth_far = "10.9.2.2";
constexpr const char* loopback = "127.0.0.1";

// Bytes a second.
double bulk(Connection& connection)
{
    size_t received = 0;
    std::thread receiver([&] {
        std::vector<char> data(chunk);
        long n = 0;
        while (received < bulk_bytes &&
               (n = connection.to.recv(connection.far, data.data(), chunk)) > 0)
            received += static_cast<size_t>(n);
    });
    const std::vector<char> data(chunk, 'x');
    const double time = seconds([&] {
        for (size_t sent = 0; sent < bulk_bytes;) {
            const long n = connection.from.send(connection.near, data.data(),
                                                std::min(chunk, bulk_bytes - sent));
            if (n <= 0)
                break;
            sent += static_cast<size_t>(n);
        }
        receiver.join();
    });
    if (received != bulk_bytes)
        throw std::runtime_error("bytes were lost in a TCP connection");
    return static_cast<double>(bulk_bytes) / time;
}

// Microseconds.
double round_trip(Connection& connection)
{
    std::thread echo([&] {
        char byte = 0;
        while (connection.to.recv(connection.far, &byte, 1) == 1 && byte == 'x')
            connection.to.send(connection.far, &byte, 1);
    });
    bool good = true;
    const auto play = [&](int times) {
        char byte = 'x';
        for (int i = 0; i < times; ++i)
            good = good && connection.from.send(connection.near, &byte, 1) == 1 &&
                   connection.from.recv(connection.near, &byte, 1) == 1;
    };
    play(100);
    const double time = seconds([&] { play(round_trips); });
    connection.from.send(connection.near, ".", 1);
    echo.join();
    if (!good)
        throw std::runtime_error("a byte was lost in a TCP connection");
    return time * 1e6 / round_trips;
}

void measure_over_tap(Run& run, Host& host, Guest& guest, Ours& ours)
{
    auto tap = value_of(lkl::open_tap("lklbench"));
    const auto device = value_of(lkl::NetDevice::add(guest.kernel(), std::move(tap)));
    configure(host, "lklbench", tap_host);
    configure(ours, "eth0", tap_ours);
    FarHost far;
    join_by_veth(host, veth_near, far, veth_far);

    Connection up(ours, host, tap_host);
    Connection down(host, ours, tap_ours);
    Connection peer(host, far, veth_far);
    run.add(
        {.name = "TCP bulk, ours to the host over tap",
         .unit = "B/s",
         .peer_name = "host to host over veth",
         .target = ratio_at_least(0.8)},
        [&] { return bulk(up); }, [&] { return bulk(peer); });
    run.add(
        {.name = "TCP bulk, the host to ours over tap",
         .unit = "B/s",
         .peer_name = "host to host over veth",
         .target = ratio_at_least(0.7)},
        [&] { return bulk(down); }, [&] { return bulk(peer); });
    run.add(
        {.name = "TCP round trip of 1 byte over tap",
         .unit = "us",
         .peer_name = "host to host over veth",
         .target = ratio_at_most(1.5)},
        [&] { return round_trip(up); }, [&] { return round_trip(peer); });
}

void measure_over_loopback(Run& run, Host& host, Ours& ours)
{
    configure(host, "lo", loopback);
    configure(ours, "lo", loopback);
    Connection our_own(ours, ours, loopback);
    Connection peer(host, host, loopback);
    run.add(
        {.name = "TCP bulk over our loopback",
         .unit = "B/s",
         .peer_name = "the host's loopback",
         .target = ratio_at_least(1.0)},
        [&] { return bulk(our_own); }, [&] { return bulk(peer); });
    run.add(
        {.name = "TCP round trip of 1 byte over our loopback",
         .unit = "us",
         .peer_name = "the host's loopback",
         .target = ratio_at_most(1.3)},
        [&] { return round_trip(our_own); }, [&] { return round_trip(peer); });
}

}  // namespace

void measure_network(Run& run)
{
    need_program("ip");
    in_new_namespace([&run] {
        Host host;
        Guest guest;
        Ours ours(guest.kernel());
        measure_over_tap(run, host, guest, ours);
        measure_over_loopback(run, host, ours);
        guest.halt();
    });
}

}  // namespace bench
