// SPDX-License-Identifier: GPL-2.0-only
#include "netlink/dhcp/packet.hpp"

#include <algorithm>

namespace lkl::dhcp {

namespace {

// Places in the fixed part of a message.
constexpr size_t at_transaction = 4;
constexpr size_t at_seconds = 8;
constexpr size_t at_flags = 10;
constexpr size_t at_client = 12;
constexpr size_t at_yours = 16;
constexpr size_t at_hardware = 28;
constexpr size_t at_server_name = 44;
constexpr size_t at_file = 108;
constexpr size_t at_cookie = 236;
constexpr size_t at_options = 240;

constexpr uint8_t boot_request = 1;
constexpr uint8_t boot_reply = 2;
constexpr uint8_t ethernet = 1;
// Answers are sent to everyone: before it has an address, a socket hears nothing else.
constexpr uint16_t broadcast = 0x8000;
constexpr std::array<uint8_t, 4> cookie{99, 130, 83, 99};

// Relays of old forward no shorter messages (RFC 1542, section 2.1).
constexpr size_t least_size = 300;

enum Option : uint8_t {
    pad = 0,
    subnet_mask = 1,
    routers = 3,
    name_servers = 6,
    host_name = 12,
    domain_name = 15,
    interface_mtu = 26,
    requested_address = 50,
    lease_time = 51,
    overload = 52,
    message_type = 53,
    server_identifier = 54,
    parameter_list = 55,
    message = 56,
    largest_message = 57,
    renewal_time = 58,
    client_identifier = 61,
    classless_routes = 121,
    end = 255,
};

using Bytes = std::span<const uint8_t>;

void put(std::vector<uint8_t>& bytes, size_t at, uint32_t value, size_t size)
{
    for (size_t i = size; i-- > 0; value >>= 8)
        bytes[at + i] = static_cast<uint8_t>(value);
}

uint32_t number(Bytes bytes)
{
    uint32_t value = 0;
    for (const uint8_t byte : bytes)
        value = value << 8 | byte;
    return value;
}

IpAddress address(Bytes bytes)
{
    return IpAddress::from_bytes(std::as_bytes(bytes.first(IpAddress::v4_size)));
}

void add(std::vector<uint8_t>& bytes, uint8_t option, Bytes value)
{
    bytes.push_back(option);
    bytes.push_back(static_cast<uint8_t>(value.size()));
    bytes.insert(bytes.end(), value.begin(), value.end());
}

void add(std::vector<uint8_t>& bytes, uint8_t option, const IpAddress& value)
{
    const auto raw = value.bytes();
    add(bytes, option, Bytes(reinterpret_cast<const uint8_t*>(raw.data()), raw.size()));
}

// The values by their options; those that come in several parts are one (RFC 3396).
using Options = std::map<uint8_t, std::vector<uint8_t>>;

void collect(Bytes bytes, Options& options)
{
    while (!bytes.empty() && bytes[0] != end) {
        if (bytes[0] == pad) {
            bytes = bytes.subspan(1);
            continue;
        }
        if (bytes.size() < 2 || bytes.size() - 2 < bytes[1])
            return;
        const Bytes value = bytes.subspan(2, bytes[1]);
        auto& whole = options[bytes[0]];
        whole.insert(whole.end(), value.begin(), value.end());
        bytes = bytes.subspan(2 + value.size());
    }
}

// The fields of two names may hold more of them.
Options all_options(Bytes bytes)
{
    Options options;
    collect(bytes.subspan(at_options), options);
    const auto found = options.find(overload);
    const unsigned fields = found != options.end() && !found->second.empty() ? found->second[0] : 0;
    if ((fields & 1) != 0)
        collect(bytes.subspan(at_file, at_cookie - at_file), options);
    if ((fields & 2) != 0)
        collect(bytes.subspan(at_server_name, at_file - at_server_name), options);
    return options;
}

// A value of at least `size` bytes, or an empty one.
Bytes value_of(const Options& options, uint8_t option, size_t size)
{
    const auto found = options.find(option);
    return found != options.end() && found->second.size() >= size ? Bytes(found->second) : Bytes();
}

std::vector<IpAddress> addresses(Bytes bytes)
{
    std::vector<IpAddress> list;
    for (; bytes.size() >= IpAddress::v4_size; bytes = bytes.subspan(IpAddress::v4_size))
        list.push_back(address(bytes));
    return list;
}

std::string text(Bytes bytes)
{
    const std::string all(bytes.begin(), bytes.end());
    return all.substr(0, all.find('\0'));
}

// The bits of a mask, which must have no gaps.
uint8_t mask_length(uint32_t mask)
{
    uint8_t length = 0;
    for (; (mask & 0x80000000) != 0; mask <<= 1)
        ++length;
    return length;
}

// RFC 3442: the length of the prefix, as many bytes of it as count, and the gateway.
std::vector<DhcpRoute> classless(Bytes bytes)
{
    std::vector<DhcpRoute> routes;
    while (!bytes.empty() && bytes[0] <= 32) {
        const size_t significant = (bytes[0] + 7u) / 8;
        if (bytes.size() < 1 + significant + IpAddress::v4_size)
            break;
        std::array<uint8_t, IpAddress::v4_size> network{};
        std::copy_n(bytes.begin() + 1, significant, network.begin());
        routes.push_back({{address(network), bytes[0]}, address(bytes.subspan(1 + significant))});
        bytes = bytes.subspan(1 + significant + IpAddress::v4_size);
    }
    return routes;
}

DhcpLease read_lease(Bytes bytes, const Options& options)
{
    DhcpLease lease;
    lease.address.address = address(bytes.subspan(at_yours));
    lease.address.length = lease.address.address.bits();
    if (const Bytes mask = value_of(options, subnet_mask, 4); !mask.empty())
        lease.address.length = mask_length(number(mask.first(4)));
    if (const Bytes server = value_of(options, server_identifier, 4); !server.empty())
        lease.server = address(server);
    // Who sends classless routes has the default route among them.
    lease.routes = classless(value_of(options, classless_routes, 5));
    const auto gateways = addresses(value_of(options, routers, 4));
    if (lease.routes.empty() && !gateways.empty())
        lease.routes.push_back({IpPrefix{}, gateways.front()});
    lease.name_servers = addresses(value_of(options, name_servers, 4));
    lease.domain = text(value_of(options, domain_name, 1));
    if (const Bytes mtu = value_of(options, interface_mtu, 2); !mtu.empty())
        lease.mtu = static_cast<uint16_t>(number(mtu.first(2)));
    if (const Bytes time = value_of(options, lease_time, 4); !time.empty())
        lease.seconds = number(time.first(4));
    lease.renew_after = lease.seconds / 2;
    if (const Bytes time = value_of(options, renewal_time, 4); !time.empty())
        lease.renew_after = number(time.first(4));
    return lease;
}

}  // namespace

std::vector<uint8_t> make(const Request& request)
{
    std::vector<uint8_t> bytes(at_options);
    bytes[0] = boot_request;
    bytes[1] = ethernet;
    bytes[2] = static_cast<uint8_t>(request.mac.bytes.size());
    put(bytes, at_transaction, request.transaction, 4);
    put(bytes, at_seconds, request.seconds, 2);
    if (request.client.is_any())
        put(bytes, at_flags, broadcast, 2);
    const auto client = request.client.bytes();
    std::transform(client.begin(), client.end(), bytes.begin() + at_client,
                   [](std::byte one) { return std::to_integer<uint8_t>(one); });
    std::copy(request.mac.bytes.begin(), request.mac.bytes.end(), bytes.begin() + at_hardware);
    std::copy(cookie.begin(), cookie.end(), bytes.begin() + at_cookie);

    const uint8_t type = static_cast<uint8_t>(request.type);
    add(bytes, message_type, Bytes(&type, 1));
    std::vector<uint8_t> identifier{ethernet};
    identifier.insert(identifier.end(), request.mac.bytes.begin(), request.mac.bytes.end());
    add(bytes, client_identifier, identifier);
    if (request.requested)
        add(bytes, requested_address, *request.requested);
    if (request.server)
        add(bytes, server_identifier, *request.server);
    if (request.type != Type::release) {
        static constexpr uint8_t size[] = {1500 >> 8, 1500 & 0xff};
        static constexpr uint8_t wanted[] = {subnet_mask,  routers,         name_servers,
                                             domain_name,  interface_mtu,   lease_time,
                                             renewal_time, classless_routes};
        add(bytes, largest_message, size);
        add(bytes, parameter_list, wanted);
    }
    if (!request.host_name.empty()) {
        const std::string name = request.host_name.substr(0, 255);
        add(bytes, host_name, Bytes(reinterpret_cast<const uint8_t*>(name.data()), name.size()));
    }
    bytes.push_back(end);
    bytes.resize(std::max(bytes.size(), least_size));
    return bytes;
}

std::optional<Reply> read(std::span<const uint8_t> bytes)
{
    if (bytes.size() < at_options || bytes[0] != boot_reply ||
        !std::equal(cookie.begin(), cookie.end(), bytes.begin() + at_cookie))
        return std::nullopt;
    const Options options = all_options(bytes);
    const Bytes type = value_of(options, message_type, 1);
    if (type.empty())
        return std::nullopt;
    Reply reply;
    reply.type = static_cast<Type>(type[0]);
    reply.transaction = number(bytes.subspan(at_transaction, 4));
    std::copy_n(bytes.begin() + at_hardware, reply.mac.bytes.size(), reply.mac.bytes.begin());
    reply.message = text(value_of(options, message, 1));
    reply.lease = read_lease(bytes, options);
    const bool gives = reply.type == Type::offer || reply.type == Type::ack;
    if (gives && (reply.lease.address.address.is_any() || reply.lease.server.is_any() ||
                  reply.lease.seconds == 0))
        return std::nullopt;
    return reply;
}

}  // namespace lkl::dhcp
