// SPDX-License-Identifier: GPL-2.0-only
#include "packetdrill/host_queues.hpp"

#include <array>
#include <span>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <lkl/linux/pkt_sched.h>
#include <lkl/netlink.hpp>

#include "packetdrill/message.hpp"
#include "packetdrill/tunnel.hpp"

namespace packetdrill {

namespace {

using lkl::NetlinkMessage;
using lkl::Result;

bool is_root_of_tunnel(const lkl::NetlinkView& view)
{
    const auto head = view.family_header<lkl_tcmsg>();
    return view.type() == RTM_NEWQDISC && head.tcm_parent == LKL_TC_H_ROOT &&
           static_cast<unsigned>(head.tcm_ifindex) == ::if_nametoindex(Tunnel::name);
}

Result<void> repeat(lkl::Kernel& kernel, const lkl::NetlinkView& view)
{
    auto net = lkl::Netlink::open(kernel);
    if (!net)
        return net.error();
    const auto index = net->link_index(Tunnel::name);
    if (!index)
        return index.error();
    auto head = view.family_header<lkl_tcmsg>();
    head.tcm_ifindex = *index;
    head.tcm_handle = 0;
    head.tcm_info = 0;
    NetlinkMessage message(LKL_RTM_NEWQDISC, LKL_NLM_F_CREATE | LKL_NLM_F_REPLACE);
    message.put(head);
    view.attributes<lkl_tcmsg>().for_each([&](uint16_t type, lkl::NetlinkValue value) {
        if (type == LKL_TCA_KIND || type == LKL_TCA_OPTIONS)
            message.add_bytes(type, value.bytes());
    });
    return net->request(std::move(message), "set qdisc of tun0 as on the host");
}

}  // namespace

HostQueues::HostQueues()
    : events_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE))
{
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = RTMGRP_TC;
    if (::bind(events_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        events_.close();
}

void HostQueues::apply(lkl::Kernel& kernel)
{
    std::array<std::byte, 16384> buffer;
    const std::lock_guard lock(mutex_);
    ssize_t size = 0;
    while ((size = ::recv(events_.get(), buffer.data(), buffer.size(), 0)) > 0) {
        lkl::NetlinkReplies replies;
        replies.append(std::span(buffer).first(static_cast<size_t>(size)));
        replies.for_each([&](const lkl::NetlinkView& view) {
            if (!is_root_of_tunnel(view))
                return;
            if (const auto done = repeat(kernel, view); !done)
                message(done.error().what);
        });
    }
}

}  // namespace packetdrill
