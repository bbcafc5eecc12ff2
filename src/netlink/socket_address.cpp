// SPDX-License-Identifier: GPL-2.0-only
#include "netlink/socket_address.hpp"

#include <cstring>

#include <lkl/socket.h>

namespace lkl::netlink {

SocketAddress::SocketAddress(const IpAddress& address, uint16_t port)
{
    const auto bytes = address.bytes();
    if (address.is_v6()) {
        storage_.sin6_family = LKL_AF_INET6;
        storage_.sin6_port = swap_port(port);
        std::memcpy(&storage_.sin6_addr, bytes.data(), bytes.size());
        size_ = sizeof storage_;
        return;
    }
    lkl_sockaddr_in v4{};
    v4.sin_family = LKL_AF_INET;
    v4.sin_port = swap_port(port);
    std::memcpy(&v4.sin_addr, bytes.data(), bytes.size());
    std::memcpy(&storage_, &v4, sizeof v4);
    size_ = sizeof v4;
}

std::optional<std::pair<IpAddress, uint16_t>> read_socket_address(std::span<const std::byte> bytes)
{
    lkl_sockaddr_in v4{};
    lkl_sockaddr_in6 v6{};
    if (bytes.size() >= sizeof v6) {
        std::memcpy(&v6, bytes.data(), sizeof v6);
        if (v6.sin6_family == LKL_AF_INET6)
            return std::pair(IpAddress::from_bytes(std::as_bytes(std::span(&v6.sin6_addr, 1))),
                             swap_port(v6.sin6_port));
    }
    if (bytes.size() >= sizeof v4) {
        std::memcpy(&v4, bytes.data(), sizeof v4);
        if (v4.sin_family == LKL_AF_INET)
            return std::pair(IpAddress::from_bytes(std::as_bytes(std::span(&v4.sin_addr, 1))),
                             swap_port(v4.sin_port));
    }
    return std::nullopt;
}

}  // namespace lkl::netlink
