// SPDX-License-Identifier: GPL-2.0-only
#include <lkl/netlink_message.hpp>

#include <algorithm>
#include <limits>

namespace lkl {

namespace {

constexpr size_t alignment = LKL_NLMSG_ALIGNTO;
static_assert(alignment == LKL_NLA_ALIGNTO);
static_assert(sizeof(lkl_nlmsghdr) % alignment == 0 && sizeof(lkl_nlattr) % alignment == 0);

constexpr size_t aligned(size_t size)
{
    return (size + alignment - 1) & ~(alignment - 1);
}

template <typename T>
T read(std::span<const std::byte> bytes)
{
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

}  // namespace

NetlinkMessage::NetlinkMessage(uint16_t type, unsigned flags) : bytes_(sizeof(lkl_nlmsghdr))
{
    lkl_nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<uint16_t>(flags | LKL_NLM_F_REQUEST);
    set_header(header);
}

NetlinkMessage& NetlinkMessage::put_bytes(std::span<const std::byte> bytes)
{
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    pad();
    return *this;
}

NetlinkMessage& NetlinkMessage::add_bytes(uint16_t type, std::span<const std::byte> value)
{
    const size_t size = sizeof(lkl_nlattr) + value.size();
    if (size > std::numeric_limits<uint16_t>::max()) {
        overflow_ = true;
        return *this;
    }
    lkl_nlattr attribute{};
    attribute.nla_type = type;
    attribute.nla_len = static_cast<uint16_t>(size);
    put(attribute);
    return put_bytes(value);
}

NetlinkMessage& NetlinkMessage::add_address(uint16_t type, const IpAddress& address)
{
    return add_bytes(type, address.bytes());
}

NetlinkMessage& NetlinkMessage::add_text(uint16_t type, std::string_view text)
{
    const std::string copy(text);
    return add_bytes(type, std::as_bytes(std::span(copy.c_str(), copy.size() + 1)));
}

void NetlinkMessage::end_nest(size_t start)
{
    const size_t size = bytes_.size() - start;
    if (size > std::numeric_limits<uint16_t>::max()) {
        overflow_ = true;
        return;
    }
    auto attribute = read<lkl_nlattr>(std::span(bytes_).subspan(start));
    attribute.nla_len = static_cast<uint16_t>(size);
    std::memcpy(bytes_.data() + start, &attribute, sizeof attribute);
}

void NetlinkMessage::pad()
{
    bytes_.resize(aligned(bytes_.size()));
    set_header(header());
}

lkl_nlmsghdr NetlinkMessage::header() const
{
    return read<lkl_nlmsghdr>(bytes_);
}

void NetlinkMessage::set_header(const lkl_nlmsghdr& header)
{
    lkl_nlmsghdr whole = header;
    whole.nlmsg_len = static_cast<uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &whole, sizeof whole);
}

uint16_t NetlinkMessage::type() const
{
    return header().nlmsg_type;
}

unsigned NetlinkMessage::flags() const
{
    return header().nlmsg_flags;
}

void NetlinkMessage::set_flags(unsigned flags)
{
    lkl_nlmsghdr changed = header();
    changed.nlmsg_flags = static_cast<uint16_t>(flags);
    set_header(changed);
}

uint32_t NetlinkMessage::sequence() const
{
    return header().nlmsg_seq;
}

void NetlinkMessage::set_sequence(uint32_t sequence)
{
    lkl_nlmsghdr changed = header();
    changed.nlmsg_seq = sequence;
    set_header(changed);
}

std::string_view NetlinkValue::text() const
{
    const std::string_view all(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
    return all.substr(0, all.find('\0'));
}

NetlinkValue NetlinkAttributes::operator[](uint16_t wanted) const
{
    std::span<const std::byte> rest = bytes_;
    uint16_t type = 0;
    NetlinkValue value;
    while (next(rest, type, value)) {
        if (type == wanted)
            return value;
    }
    return {};
}

bool NetlinkAttributes::next(std::span<const std::byte>& rest, uint16_t& type, NetlinkValue& value)
{
    if (rest.size() < sizeof(lkl_nlattr))
        return false;
    const auto header = read<lkl_nlattr>(rest);
    if (header.nla_len < sizeof header || header.nla_len > rest.size())
        return false;
    type = header.nla_type & LKL_NLA_TYPE_MASK;
    value = NetlinkValue(rest.subspan(sizeof header, header.nla_len - sizeof header));
    rest = rest.subspan(std::min(aligned(header.nla_len), rest.size()));
    return true;
}

void NetlinkReplies::append(std::span<const std::byte> messages)
{
    bytes_.insert(bytes_.end(), messages.begin(), messages.end());
    bytes_.resize(aligned(bytes_.size()));
}

std::optional<NetlinkView> NetlinkReplies::next(std::span<const std::byte>& rest)
{
    if (rest.size() < sizeof(lkl_nlmsghdr))
        return std::nullopt;
    const auto header = read<lkl_nlmsghdr>(rest);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > rest.size())
        return std::nullopt;
    NetlinkView view(header, rest.subspan(sizeof header, header.nlmsg_len - sizeof header));
    rest = rest.subspan(std::min(aligned(header.nlmsg_len), rest.size()));
    return view;
}

}  // namespace lkl
