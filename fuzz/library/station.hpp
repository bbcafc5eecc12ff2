// SPDX-License-Identifier: GPL-2.0-only
// Station: a kernel on a wire, with addresses, and sockets that answer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <lkl/kernel.hpp>
#include <lkl/packet.hpp>

namespace lkl::fuzz {

struct StationAddresses {
    const char* mac;
    const char* v4;
    const char* v6;
};
// Of the kernel that gets the inputs, and of the other end of its wire.
constexpr StationAddresses station_addresses{"02:00:00:00:00:02", "10.9.0.2", "fd09::2"};
constexpr StationAddresses peer_addresses{"02:00:00:00:00:01", "10.9.0.1", "fd09::1"};

constexpr uint16_t echo_port = 7;       // TCP and UDP: what comes goes back
constexpr uint16_t multipath_port = 8;  // the same by MPTCP, where the kernel has it
constexpr uint16_t discard_port = 9;    // UDP: nobody reads it

// One thread. The kernel must outlive it.
class Station {
public:
    explicit Station(Kernel& kernel) : kernel_(kernel) {}

    // The interface with its addresses, and a route to everywhere through the other end.
    // Errors: the kernel's.
    Result<void> connect(std::unique_ptr<NetBackend> backend, const StationAddresses& own,
                         const StationAddresses& other);
    // Opens the sockets, and joins a group of multicast.
    Result<void> listen();

    // From here on the kernel takes frames when receive() is called, and in that call, so
    // that what they reach is the calling thread's. A frame for discard_port must be on
    // its way, over IPv4. Error: ETIMEDOUT, it does not come.
    Result<void> take_over();
    // Takes two frames, if there are, and gives up what the kernel has held back to join
    // it to others (GRO) if there were two. True: one was for discard_port, which before
    // take_over() alone is told.
    bool receive();

    // A millisecond.
    void wait();
    // Answers what has come to the sockets.
    void serve();

private:
    static constexpr long none = -1;

    long socket(int family, int type, int protocol, uint16_t port);
    void answer(long& connection);
    Result<void> be_quiet();
    Result<void> set(const std::string& path, std::string_view value);
    void set_option(long socket, int level, int option, int value);

    Kernel& kernel_;
    std::vector<long> listening_;
    std::vector<long> datagrams_;
    long pump_ = none;  // of receive()
    std::array<long, 8> accepted_{none, none, none, none, none, none, none, none};
    size_t next_ = 0;  // the one to give up for another
};

}  // namespace lkl::fuzz
