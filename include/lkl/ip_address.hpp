// SPDX-License-Identifier: GPL-2.0-only
// Addresses of networks and interfaces: values with a text form, all bytes in the order
// of the network.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <lkl/result.hpp>

namespace lkl {

// An IPv4 or IPv6 address.
class IpAddress {
public:
    static constexpr size_t v4_size = 4;
    static constexpr size_t v6_size = 16;

    // 0.0.0.0
    IpAddress() = default;
    // From 4 or 16 bytes; of any other number the result is 0.0.0.0.
    static IpAddress from_bytes(std::span<const std::byte> bytes);
    // "192.0.2.1" or "2001:db8::1". EINVAL: it is neither.
    static Result<IpAddress> parse(std::string_view text);
    // 0.0.0.0 or ::, of the given family.
    static IpAddress any(int family);

    bool is_v6() const { return size_ == v6_size; }
    // LKL_AF_INET or LKL_AF_INET6.
    int family() const;
    // All bytes are zero.
    bool is_any() const { return bytes_ == decltype(bytes_){}; }
    // fe80::/10, which means something on one interface only.
    bool is_link_local() const;
    // In network order; this object's, so valid as long as it is.
    std::span<const std::byte> bytes() const
    {
        return std::as_bytes(std::span(bytes_)).first(size_);
    }
    // Its number of bits: the longest prefix.
    uint8_t bits() const { return static_cast<uint8_t>(size_ * 8); }
    std::string text() const;

    friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

private:
    size_t size_ = v4_size;
    std::array<uint8_t, v6_size> bytes_{};
};

// An address and how many of its first bits name its network: "192.0.2.1/24".
struct IpPrefix {
    IpAddress address;
    uint8_t length = 0;

    // Without "/length" it is the one address: /32 or /128. EINVAL.
    static Result<IpPrefix> parse(std::string_view text);
    // The same with the bits behind the prefix cleared: the network.
    IpPrefix network() const;
    std::string text() const;

    friend auto operator<=>(const IpPrefix&, const IpPrefix&) = default;
};

// The hardware address of an Ethernet interface: "02:00:00:00:00:01".
struct MacAddress {
    std::array<uint8_t, 6> bytes{};

    // Six numbers of two digits each, upper or lower case. EINVAL: it is something else.
    static Result<MacAddress> parse(std::string_view text);
    std::string text() const;

    friend auto operator<=>(const MacAddress&, const MacAddress&) = default;
};

}  // namespace lkl
