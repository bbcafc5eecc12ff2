// SPDX-License-Identifier: GPL-2.0-only
#include <core/interfaces.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <core/system_calls.hpp>

namespace lkl {

namespace {

constexpr long af_netlink = 16;
constexpr long sock_raw_cloexec = 3 | 02000000;
constexpr long netlink_route = 0;

using Interfaces = std::map<std::string, int>;

// rtnetlink(7): an RTM_NEWLINK message. The structures are the same in all kernels.
void add_interface(const nlmsghdr& message, Interfaces& interfaces)
{
    const auto* link = static_cast<const ifinfomsg*>(NLMSG_DATA(&message));
    auto length = static_cast<unsigned>(IFLA_PAYLOAD(&message));
    for (const rtattr* attribute = IFLA_RTA(link); RTA_OK(attribute, length);
         attribute = RTA_NEXT(attribute, length)) {
        if (attribute->rta_type != IFLA_PARENT_DEV_NAME)
            continue;
        const auto* name = static_cast<const char*>(RTA_DATA(attribute));
        interfaces[std::string(name, ::strnlen(name, RTA_PAYLOAD(attribute)))] = link->ifi_index;
    }
}

// 0: go on, 1: the dump is over; else a negative errno.
long add_messages(std::span<const std::byte> bytes, Interfaces& interfaces)
{
    auto left = static_cast<unsigned>(bytes.size());
    for (const auto* message = reinterpret_cast<const nlmsghdr*>(bytes.data());
         NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
        if (message->nlmsg_type == NLMSG_DONE)
            return 1;
        if (message->nlmsg_type == NLMSG_ERROR)
            return static_cast<const nlmsgerr*>(NLMSG_DATA(message))->error;
        if (message->nlmsg_type == RTM_NEWLINK)
            add_interface(*message, interfaces);
    }
    return 0;
}

}  // namespace

Result<Interfaces> virtio_interfaces(const std::function<long(long, const long*)>& call)
{
    const auto failed = [](long result) {
        return system_error(result, "listing the kernel's interfaces");
    };
    const long open[6] = {af_netlink, sock_raw_cloexec, netlink_route};
    const long fd = call(nr_socket, open);
    if (fd < 0)
        return failed(fd);

    struct {
        nlmsghdr header;
        ifinfomsg link;
    } request{};
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = RTM_GETLINK;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    const long send[6] = {fd, reinterpret_cast<long>(&request), sizeof request};
    long result = call(nr_sendto, send);

    Interfaces interfaces;
    alignas(nlmsghdr) std::array<std::byte, 32768> buffer;
    while (result >= 0) {
        const long read[6] = {fd, reinterpret_cast<long>(buffer.data()), buffer.size()};
        result = call(nr_read, read);
        if (result <= 0)
            break;
        result = add_messages(std::span(buffer).first(static_cast<size_t>(result)), interfaces);
        if (result == 1)
            break;
    }
    const long close[6] = {fd};
    call(nr_close, close);
    if (result < 0)
        return failed(result);
    return interfaces;
}

}  // namespace lkl
