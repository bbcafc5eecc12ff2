// SPDX-License-Identifier: GPL-2.0-only
// Messages of netlink(7): one that is built, and a look at one that was received.
// Nothing here calls a kernel; a value belongs to one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include <lkl/ip_address.hpp>
#include <lkl/linux/netlink.h>

namespace lkl {

// A request. The header of its family comes first (struct lkl_ifinfomsg for instance),
// then attributes:
//
//     NetlinkMessage message(LKL_RTM_NEWLINK, LKL_NLM_F_CREATE);
//     message.put(lkl_ifinfomsg{}).add_text(LKL_IFLA_IFNAME, "dummy0");
//     message.nest(LKL_IFLA_LINKINFO,
//                  [](NetlinkMessage& info) { info.add_text(LKL_IFLA_INFO_KIND, "dummy"); });
class NetlinkMessage {
public:
    // LKL_NLM_F_REQUEST is always set.
    explicit NetlinkMessage(uint16_t type, unsigned flags = 0);

    // Appends bytes as they are.
    NetlinkMessage& put_bytes(std::span<const std::byte> bytes);
    template <typename T>
    NetlinkMessage& put(const T& value)
    {
        static_assert(std::is_trivially_copyable_v<T>);
        return put_bytes(std::as_bytes(std::span(&value, 1)));
    }

    // Adds an attribute. What is too long for its 16 bits of length makes overflow() true.
    NetlinkMessage& add_bytes(uint16_t type, std::span<const std::byte> value);
    template <typename T>
    NetlinkMessage& add(uint16_t type, const T& value)
    {
        static_assert(std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>);
        return add_bytes(type, std::as_bytes(std::span(&value, 1)));
    }
    NetlinkMessage& add_address(uint16_t type, const IpAddress& address);
    // With the zero byte that ends it.
    NetlinkMessage& add_text(uint16_t type, std::string_view text);
    NetlinkMessage& add_flag(uint16_t type) { return add_bytes(type, {}); }
    // An attribute that holds those that fill(*this) adds. Put LKL_NLA_F_NESTED into the
    // type where the family wants it.
    template <typename Fill>
    NetlinkMessage& nest(uint16_t type, Fill fill)
    {
        const size_t start = bytes_.size();
        add_flag(type);
        fill(*this);
        end_nest(start);
        return *this;
    }

    uint16_t type() const;
    unsigned flags() const;
    void set_flags(unsigned flags);
    void set_sequence(uint32_t sequence);
    uint32_t sequence() const;
    bool overflow() const { return overflow_; }
    // The message, its length filled in.
    std::span<const std::byte> bytes() const { return bytes_; }

private:
    lkl_nlmsghdr header() const;
    void set_header(const lkl_nlmsghdr& header);
    void end_nest(size_t start);
    void pad();

    std::vector<std::byte> bytes_;
    bool overflow_ = false;
};

// The value of an attribute, or of one that is not there: then it is empty.
class NetlinkValue {
public:
    NetlinkValue() = default;
    explicit NetlinkValue(std::span<const std::byte> bytes) : bytes_(bytes), present_(true) {}

    explicit operator bool() const { return present_; }
    std::span<const std::byte> bytes() const { return bytes_; }
    // As a T, when it is there and long enough; it may be longer, as newer kernels have it.
    template <typename T>
    std::optional<T> get() const
    {
        static_assert(std::is_trivially_copyable_v<T>);
        if (bytes_.size() < sizeof(T))
            return std::nullopt;
        T value;
        std::memcpy(&value, bytes_.data(), sizeof value);
        return value;
    }
    template <typename T>
    T get_or(T other) const
    {
        return get<T>().value_or(other);
    }
    // Up to its end or its first zero byte.
    std::string_view text() const;
    IpAddress address() const { return IpAddress::from_bytes(bytes_); }

private:
    std::span<const std::byte> bytes_;
    bool present_ = false;
};

// A list of attributes. What is cut off or has a wrong length ends the list.
class NetlinkAttributes {
public:
    explicit NetlinkAttributes(std::span<const std::byte> bytes) : bytes_(bytes) {}
    // Those inside of an attribute.
    explicit NetlinkAttributes(const NetlinkValue& value) : bytes_(value.bytes()) {}

    // The first one of the type (without its flags).
    NetlinkValue operator[](uint16_t type) const;
    // visit(uint16_t type, NetlinkValue) for each, in their order.
    template <typename Visit>
    void for_each(Visit visit) const
    {
        std::span<const std::byte> rest = bytes_;
        uint16_t type = 0;
        NetlinkValue value;
        while (next(rest, type, value))
            visit(type, value);
    }

private:
    static bool next(std::span<const std::byte>& rest, uint16_t& type, NetlinkValue& value);

    std::span<const std::byte> bytes_;
};

// A received message; points into the NetlinkReplies that it is from.
class NetlinkView {
public:
    NetlinkView(const lkl_nlmsghdr& header, std::span<const std::byte> body)
        : header_(header), body_(body)
    {
    }
    uint16_t type() const { return header_.nlmsg_type; }
    unsigned flags() const { return header_.nlmsg_flags; }
    uint32_t sequence() const { return header_.nlmsg_seq; }
    // All behind the netlink header.
    std::span<const std::byte> body() const { return body_; }
    // The header of the family; zeroes where the message is too short for it.
    template <typename T>
    T family_header() const
    {
        return NetlinkValue(body_).get_or(T{});
    }
    // The attributes behind a family header T.
    template <typename T>
    NetlinkAttributes attributes() const
    {
        return NetlinkAttributes(
            body_.subspan(std::min(size_t{LKL_NLMSG_ALIGN(sizeof(T))}, body_.size())));
    }

private:
    lkl_nlmsghdr header_;
    std::span<const std::byte> body_;
};

// Received messages, in their order.
class NetlinkReplies {
public:
    bool empty() const { return bytes_.empty(); }
    void append(std::span<const std::byte> messages);
    void clear() { bytes_.clear(); }
    // visit(NetlinkView) for each. A message that is cut off ends it.
    template <typename Visit>
    void for_each(Visit visit) const
    {
        std::span<const std::byte> rest = bytes_;
        while (const auto view = next(rest))
            visit(*view);
    }
    // The next message of `rest`, which it takes away; nothing at the end.
    static std::optional<NetlinkView> next(std::span<const std::byte>& rest);

private:
    std::vector<std::byte> bytes_;
};

}  // namespace lkl
