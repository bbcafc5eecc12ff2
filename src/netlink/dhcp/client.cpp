// SPDX-License-Identifier: GPL-2.0-only
// The client's side of the protocol: RFC 2131, sections 3 and 4.4.
#include <algorithm>
#include <array>
#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/asm/unistd.h>
#include <lkl/dhcp.hpp>
#include <lkl/linux/if_ether.h>
#include <lkl/linux/if_packet.h>
#include <lkl/linux/in.h>

#include "file/error.hpp"
#include "netlink/dhcp/datagram.hpp"
#include "netlink/dhcp/packet.hpp"
#include "netlink/names.hpp"
#include "netlink/poll.hpp"
#include "netlink/socket_address.hpp"

namespace lkl {

using dhcp::Reply;
using dhcp::Request;
using dhcp::Type;
using file::call_error;
using std::chrono::milliseconds;

namespace {

using Clock = std::chrono::steady_clock;

constexpr uint16_t server_port = 67;
constexpr uint16_t client_port = 68;
constexpr milliseconds longest_wait{64'000};

IpAddress everyone()
{
    constexpr std::array<uint8_t, IpAddress::v4_size> ones{255, 255, 255, 255};
    return IpAddress::from_bytes(std::as_bytes(std::span(ones)));
}

class Client {
public:
    // `own` is the address to speak from: none yet is 0.0.0.0.
    static Result<Client> open(Kernel& kernel, int index, const IpAddress& own,
                               const DhcpOptions& options);

    // Sends a request to `server` until one of the wanted types comes back.
    Result<Reply> ask(Request request, const IpAddress& server, std::array<Type, 2> wanted);
    // Once, and without an answer.
    Result<void> tell(const Request& request, const IpAddress& server);

    // A request with what is the same in all of them.
    Request request(Type type) const
    {
        Request request;
        request.type = type;
        request.transaction = transaction_;
        request.mac = mac_;
        request.host_name = options_.host_name;
        return request;
    }
    Error error(int code, const std::string& why) const { return {code, what_ + ": " + why}; }

private:
    Client(File socket, std::string what, const DhcpOptions& options)
        : socket_(std::move(socket)),
          what_(std::move(what)),
          options_(options),
          start_(Clock::now()),
          deadline_(start_ + options.timeout)
    {
    }
    Kernel& kernel() const { return socket_.kernel(); }
    Result<void> listen_to_packets(int index);
    Result<std::optional<Reply>> receive(milliseconds timeout);

    File socket_;
    // Packets of the interface: some servers send to the address that they are about to
    // give, which the kernel does not take for its own yet (RFC 2131, 4.1).
    std::optional<File> packets_;
    std::string what_;
    DhcpOptions options_;
    Clock::time_point start_;
    Clock::time_point deadline_;
    MacAddress mac_;
    uint32_t transaction_ = 0;
};

Result<Client> Client::open(Kernel& kernel, int index, const IpAddress& own,
                            const DhcpOptions& options)
{
    std::string what = "DHCP on " + netlink::interface_text(index);
    auto net = Netlink::open(kernel);
    if (!net)
        return std::move(net).error();
    const auto link = net->link(index);
    if (!link)
        return link.error();
    if (!link->mac)
        return Error{LKL_EINVAL, what + ": it has no MAC address"};
    const long descriptor = kernel.syscall(__lkl__NR_socket, LKL_AF_INET,
                                           LKL_SOCK_DGRAM | LKL_SOCK_CLOEXEC, LKL_IPPROTO_UDP);
    if (descriptor < 0)
        return call_error(descriptor, what, "(socket)");
    Client client(File::adopt(kernel, static_cast<int>(descriptor)), std::move(what), options);
    client.mac_ = *link->mac;

    const int on = 1;
    const netlink::SocketAddress name(own, client_port);
    const auto set = [&](int option, const void* value, size_t size) {
        return kernel.syscall(__lkl__NR_setsockopt, descriptor, LKL_SOL_SOCKET, option, value,
                              size);
    };
    long result = set(LKL_SO_BROADCAST, &on, sizeof on);
    if (result == 0)
        result = set(LKL_SO_REUSEADDR, &on, sizeof on);
    if (result == 0)
        result = set(LKL_SO_BINDTODEVICE, link->name.c_str(), link->name.size());
    if (result == 0)
        result =
            kernel.syscall(__lkl__NR_bind, descriptor, name.bytes().data(), name.bytes().size());
    if (result == 0)
        result = std::min(0l, kernel.syscall(__lkl__NR_getrandom, &client.transaction_,
                                             sizeof client.transaction_, 0));
    if (result < 0)
        return call_error(result, client.what_, "(socket)");
    if (own.is_any()) {
        if (auto listening = client.listen_to_packets(index); !listening)
            return std::move(listening).error();
    }
    return client;
}

Result<void> Client::listen_to_packets(int index)
{
    const uint16_t protocol = netlink::swap_port(LKL_ETH_P_IP);
    const long descriptor =
        kernel().syscall(__lkl__NR_socket, LKL_AF_PACKET, LKL_SOCK_DGRAM | LKL_SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return call_error(descriptor, what_, "(packet socket)");
    packets_ = File::adopt(kernel(), static_cast<int>(descriptor));
    lkl_sockaddr_ll name{};
    name.sll_family = LKL_AF_PACKET;
    name.sll_protocol = protocol;
    name.sll_ifindex = index;
    const long result = kernel().syscall(__lkl__NR_bind, descriptor, &name, sizeof name);
    if (result < 0)
        return call_error(result, what_, "(packet socket)");
    return {};
}

Result<void> Client::tell(const Request& request, const IpAddress& server)
{
    const auto bytes = dhcp::make(request);
    const netlink::SocketAddress to(server, server_port);
    const long sent = kernel().syscall(__lkl__NR_sendto, socket_.descriptor(), bytes.data(),
                                       bytes.size(), 0, to.bytes().data(), to.bytes().size());
    if (sent < 0)
        return call_error(sent, what_, "(send)");
    return {};
}

// A reply to us; nothing after the timeout, or when something else came.
Result<std::optional<Reply>> Client::receive(milliseconds timeout)
{
    const int descriptor = (packets_ ? *packets_ : socket_).descriptor();
    const auto ready = netlink::wait_readable(kernel(), descriptor, timeout);
    if (!ready)
        return ready.error();
    if (!*ready)
        return std::optional<Reply>();
    std::array<uint8_t, 1500> buffer;
    const long size = kernel().syscall(__lkl__NR_recvfrom, descriptor, buffer.data(), buffer.size(),
                                       LKL_MSG_DONTWAIT, nullptr, nullptr);
    if (size < 0 && size != -LKL_EAGAIN && size != -LKL_EINTR)
        return call_error(size, what_, "(receive)");
    std::span<const uint8_t> message =
        std::span(buffer).first(static_cast<size_t>(std::max(size, 0l)));
    if (packets_)
        message = dhcp::payload_for(message, client_port);
    auto reply = dhcp::read(message);
    if (reply && (reply->transaction != transaction_ || reply->mac != mac_))
        reply.reset();
    return reply;
}

Result<Reply> Client::ask(Request request, const IpAddress& server, std::array<Type, 2> wanted)
{
    milliseconds wait = options_.first_wait;
    for (auto now = Clock::now(); now < deadline_; now = Clock::now()) {
        request.seconds = static_cast<uint16_t>(std::min<int64_t>(
            std::chrono::duration_cast<std::chrono::seconds>(now - start_).count(), 65535));
        if (auto told = tell(request, server); !told)
            return std::move(told).error();
        const auto until = std::min(now + wait, deadline_);
        for (; now < until; now = Clock::now()) {
            auto reply = receive(std::chrono::ceil<milliseconds>(until - now));
            if (!reply)
                return std::move(reply).error();
            if (*reply && std::find(wanted.begin(), wanted.end(), (*reply)->type) != wanted.end())
                return **std::move(reply);
        }
        wait = std::min(wait * 2, longest_wait);
    }
    return error(LKL_ETIMEDOUT, "no server answered");
}

}  // namespace

std::optional<IpAddress> DhcpLease::router() const
{
    for (const DhcpRoute& route : routes) {
        if (route.destination.length == 0)
            return route.gateway;
    }
    return std::nullopt;
}

Result<DhcpLease> dhcp_request(Kernel& kernel, int index, const DhcpOptions& options)
{
    auto client = Client::open(kernel, index, IpAddress(), options);
    if (!client)
        return std::move(client).error();
    for (;;) {
        auto offer =
            client->ask(client->request(Type::discover), everyone(), {Type::offer, Type::offer});
        if (!offer)
            return std::move(offer).error();
        Request request = client->request(Type::request);
        request.requested = offer->lease.address.address;
        request.server = offer->lease.server;
        auto answer = client->ask(request, everyone(), {Type::ack, Type::nak});
        if (!answer)
            return std::move(answer).error();
        if (answer->type == Type::ack)
            return std::move(answer->lease);
        // It has changed its mind: from the beginning, as long as there is time.
    }
}

Result<DhcpLease> dhcp_renew(Kernel& kernel, int index, const DhcpLease& lease,
                             const DhcpOptions& options)
{
    auto client = Client::open(kernel, index, lease.address.address, options);
    if (!client)
        return std::move(client).error();
    Request request = client->request(Type::request);
    request.client = lease.address.address;
    auto answer = client->ask(request, lease.server, {Type::ack, Type::nak});
    if (!answer)
        return std::move(answer).error();
    if (answer->type == Type::nak)
        return client->error(LKL_EADDRNOTAVAIL,
                             "the server does not prolong it" +
                                 (answer->message.empty() ? "" : ": " + answer->message));
    return std::move(answer->lease);
}

Result<void> dhcp_release(Kernel& kernel, int index, const DhcpLease& lease)
{
    auto client = Client::open(kernel, index, lease.address.address, {});
    if (!client)
        return std::move(client).error();
    Request request = client->request(Type::release);
    request.client = lease.address.address;
    request.server = lease.server;
    return client->tell(request, lease.server);
}

Result<void> apply_lease(Netlink& net, int index, const DhcpLease& lease)
{
    Address address;
    address.index = index;
    address.prefix = lease.address;
    address.valid = lease.seconds;
    address.preferred = lease.seconds;
    if (auto set = net.replace_address(address); !set)
        return set;
    if (lease.mtu) {
        if (auto set = net.set_mtu(index, *lease.mtu); !set)
            return set;
    }
    for (const DhcpRoute& one : lease.routes) {
        NextHop hop;
        hop.index = index;
        if (!one.gateway.is_any()) {
            hop.gateway = one.gateway;
            // Some networks have their router outside of the prefix that they give.
            hop.onlink =
                IpPrefix{one.gateway, lease.address.length}.network() != lease.address.network();
        }
        Route route;
        route.destination = one.destination.network();
        route.hops = {hop};
        route.protocol = LKL_RTPROT_DHCP;
        if (auto set = net.replace_route(route); !set)
            return set;
    }
    return {};
}

}  // namespace lkl
