// SPDX-License-Identifier: GPL-2.0-only
// Socket addresses of the kernel: an IP address and a port.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include <lkl/ip_address.hpp>
#include <lkl/linux/in.h>
#include <lkl/linux/in6.h>

namespace lkl::netlink {

// Network byte order and back.
inline uint16_t swap_port(uint16_t port)
{
    return static_cast<uint16_t>(port << 8 | port >> 8);
}
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "our port's hosts are all little-endian");

// struct sockaddr_in or sockaddr_in6, as bind(2) and others take it.
class SocketAddress {
public:
    SocketAddress(const IpAddress& address, uint16_t port);
    std::span<const std::byte> bytes() const
    {
        return std::as_bytes(std::span(&storage_, 1)).first(size_);
    }

private:
    lkl_sockaddr_in6 storage_{};  // the larger one
    size_t size_;
};

// What such a structure says; nothing if it is of another family or cut off.
std::optional<std::pair<IpAddress, uint16_t>> read_socket_address(std::span<const std::byte> bytes);

}  // namespace lkl::netlink
