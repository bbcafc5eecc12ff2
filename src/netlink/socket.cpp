// SPDX-License-Identifier: GPL-2.0-only
// The socket of a Netlink: requests and their answers.
#include <algorithm>
#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/asm/unistd.h>
#include <lkl/netlink.hpp>

#include "file/error.hpp"
#include "netlink/poll.hpp"

namespace lkl {

using file::call_error;

namespace {

// The kernel's own limit for a part of a list is 32 KiB; one message may be longer.
constexpr size_t buffer_size = size_t{64} << 10;

// How often a list that changes meanwhile is read.
constexpr int most_reads = 16;

// The text of an error, with what the kernel adds to its number.
Error refusal(const NetlinkView& view, long code, std::string_view what)
{
    Error error = call_error(code, what, {});
    size_t size = sizeof(int);
    if (view.type() == LKL_NLMSG_ERROR) {
        // The request's header is repeated, and all of it unless that is said not to be so.
        const auto head = view.family_header<lkl_nlmsgerr>();
        size = sizeof head;
        if ((view.flags() & LKL_NLM_F_CAPPED) == 0 && head.msg.nlmsg_len > sizeof head.msg)
            size += head.msg.nlmsg_len - sizeof head.msg;
    }
    if ((view.flags() & LKL_NLM_F_ACK_TLVS) == 0 || size > view.body().size())
        return error;
    const NetlinkAttributes details(view.body().subspan(size));
    if (const auto text = details[LKL_NLMSGERR_ATTR_MSG])
        error.what += " (" + std::string(text.text()) + ')';
    else if (const auto type = details[LKL_NLMSGERR_ATTR_MISS_TYPE].get<uint32_t>())
        error.what += " (attribute " + std::to_string(*type) + " is missing)";
    return error;
}

// The end of a transaction: the code of LKL_NLMSG_ERROR and LKL_NLMSG_DONE, 0 or negative.
std::optional<int> end_code(const NetlinkView& view)
{
    if (view.type() != LKL_NLMSG_ERROR && view.type() != LKL_NLMSG_DONE)
        return std::nullopt;
    return view.family_header<int>();
}

}  // namespace

Result<Netlink> Netlink::open(Kernel& kernel, int protocol)
{
    const long descriptor =
        kernel.syscall(__lkl__NR_socket, LKL_AF_NETLINK, LKL_SOCK_RAW | LKL_SOCK_CLOEXEC, protocol);
    if (descriptor < 0)
        return call_error(descriptor, "open", "netlink socket");
    Netlink socket(File::adopt(kernel, static_cast<int>(descriptor)));

    const int on = 1;
    for (const int option :
         {LKL_NETLINK_EXT_ACK, LKL_NETLINK_CAP_ACK, LKL_NETLINK_GET_STRICT_CHK}) {
        const long result = kernel.syscall(__lkl__NR_setsockopt, descriptor, LKL_SOL_NETLINK,
                                           option, &on, sizeof on);
        if (result < 0)
            return call_error(result, "set up", "netlink socket");
    }
    lkl_sockaddr_nl address{};
    address.nl_family = LKL_AF_NETLINK;
    const long bound = kernel.syscall(__lkl__NR_bind, descriptor, &address, sizeof address);
    if (bound < 0)
        return call_error(bound, "bind", "netlink socket");
    socket.buffer_.resize(buffer_size);
    return socket;
}

Result<void> Netlink::send(std::span<const std::byte> bytes, std::string_view what)
{
    lkl_sockaddr_nl to{};  // the kernel
    to.nl_family = LKL_AF_NETLINK;
    const long sent = kernel().syscall(__lkl__NR_sendto, descriptor(), bytes.data(), bytes.size(),
                                       0, &to, sizeof to);
    if (sent < 0)
        return call_error(sent, what, {});
    return {};
}

// EAGAIN: nothing is there.
Result<size_t> Netlink::receive_bytes(bool wait, std::string_view what)
{
    const int flags = LKL_MSG_TRUNC | (wait ? 0 : LKL_MSG_DONTWAIT);
    long size = 0;
    do {
        size = kernel().syscall(__lkl__NR_recvfrom, descriptor(), buffer_.data(), buffer_.size(),
                                flags, nullptr, nullptr);
    } while (size == -LKL_EINTR);
    if (size < 0)
        return call_error(size, what, {});
    if (static_cast<size_t>(size) > buffer_.size())
        return call_error(-LKL_EMSGSIZE, what, "(answer)");
    return static_cast<size_t>(size);
}

// `changed` is set when a list was not of one moment.
Result<NetlinkReplies> Netlink::transact(NetlinkMessage& message, bool& changed,
                                         std::string_view what)
{
    if (message.overflow())
        return call_error(-LKL_EMSGSIZE, what, {});
    message.set_sequence(++sequence_);
    if (auto sent = send(message.bytes(), what); !sent)
        return std::move(sent).error();
    NetlinkReplies replies;
    for (;;) {
        const auto size = receive_bytes(true, what);
        if (!size)
            return size.error();
        std::span<const std::byte> rest = received(*size);
        std::span<const std::byte> before = rest;
        while (const auto view = NetlinkReplies::next(rest)) {
            const auto one = before.first(before.size() - rest.size());
            before = rest;
            if (view->sequence() != message.sequence())
                continue;
            changed = changed || (view->flags() & LKL_NLM_F_DUMP_INTR) != 0;
            const auto code = end_code(*view);
            if (!code)
                replies.append(one);
            else if (*code < 0)
                return refusal(*view, *code, what);
            else
                return replies;
        }
    }
}

Result<void> Netlink::request(NetlinkMessage message, std::string_view what)
{
    message.set_flags(message.flags() | LKL_NLM_F_ACK);
    bool changed = false;
    auto replies = transact(message, changed, what);
    if (!replies)
        return std::move(replies).error();
    return {};
}

Result<NetlinkReplies> Netlink::query(NetlinkMessage message, std::string_view what)
{
    if ((message.flags() & LKL_NLM_F_DUMP) != LKL_NLM_F_DUMP)
        message.set_flags(message.flags() | LKL_NLM_F_ACK);
    for (int i = 0; i < most_reads; ++i) {
        bool changed = false;
        auto replies = transact(message, changed, what);
        if (!replies || !changed)
            return replies;
    }
    return call_error(-LKL_EAGAIN, what, {});
}

// The kernel carries all of it out before it returns from sendto(): the answers are there.
Result<void> Netlink::batch(std::vector<NetlinkMessage> messages, std::string_view what)
{
    std::vector<std::byte> bytes;
    size_t unconfirmed = 0;
    const uint32_t first = sequence_ + 1;
    for (NetlinkMessage& message : messages) {
        if (message.overflow())
            return call_error(-LKL_EMSGSIZE, what, {});
        if ((message.flags() & LKL_NLM_F_ACK) != 0)
            ++unconfirmed;
        message.set_sequence(++sequence_);
        const auto part = message.bytes();
        bytes.insert(bytes.end(), part.begin(), part.end());
    }
    if (auto sent = send(bytes, what); !sent)
        return sent;

    std::optional<Error> failed;
    for (;;) {
        const auto size = receive_bytes(false, what);
        if (!size && size.error().code == LKL_EAGAIN)
            break;
        if (!size)
            return size.error();
        std::span<const std::byte> rest = received(*size);
        while (const auto view = NetlinkReplies::next(rest)) {
            const auto code = end_code(*view);
            if (!code || view->sequence() < first || view->sequence() > sequence_)
                continue;
            if (*code < 0 && !failed)
                failed = refusal(*view, *code, what);
            else if (unconfirmed > 0)
                --unconfirmed;
        }
    }
    if (failed)
        return *std::move(failed);
    if (unconfirmed > 0)
        return call_error(-LKL_EPROTO, what, "(not all of it was confirmed)");
    return {};
}

Result<void> Netlink::subscribe(unsigned group)
{
    const long result = kernel().syscall(__lkl__NR_setsockopt, descriptor(), LKL_SOL_NETLINK,
                                         LKL_NETLINK_ADD_MEMBERSHIP, &group, sizeof group);
    if (result < 0)
        return call_error(result, "subscribe to", "netlink group " + std::to_string(group));
    return {};
}

Result<NetlinkReplies> Netlink::receive(std::chrono::milliseconds timeout)
{
    NetlinkReplies replies;
    const auto ready = netlink::wait_readable(kernel(), descriptor(), timeout);
    if (!ready)
        return ready.error();
    if (!*ready)
        return replies;
    const auto size = receive_bytes(false, "receive netlink messages");
    if (size)
        replies.append(received(*size));
    else if (size.error().code != LKL_EAGAIN)
        return size.error();
    return replies;
}

}  // namespace lkl
