// SPDX-License-Identifier: GPL-2.0-only
// Waiting for IPv6 addresses. Each wait listens to the kernel's events on a socket of its
// own from before it looks at the addresses, so that no change is missed.
#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/linux/if_addr.h>
#include <lkl/netlink.hpp>

#include "netlink/addresses.hpp"
#include "netlink/names.hpp"

namespace lkl {

using netlink::interface_text;
using std::chrono::milliseconds;

namespace {

using Clock = std::chrono::steady_clock;

// What ends a wait; none: it goes on.
using Verdict = std::optional<Result<Address>>;

// A socket that hears of IPv6 addresses in the namespace of `net`, which may not be the
// calling thread's.
Result<Netlink> listen_beside(const Netlink& net)
{
    const auto space = NetworkNamespace::of_socket(net.kernel(), net.descriptor());
    if (!space)
        return space.error();
    const auto inside = InNetworkNamespace::enter(*space, net.kernel());
    if (!inside)
        return inside.error();
    auto events = Netlink::open(net.kernel());
    if (!events)
        return events;
    if (auto subscribed = events->subscribe(LKL_RTNLGRP_IPV6_IFADDR); !subscribed)
        return std::move(subscribed).error();
    return events;
}

// judge(const Address*, bool removed) is told of the interface's addresses, then by a null
// pointer that these were all, then of every change, until it gives a verdict.
template <typename Judge>
Result<Address> wait_for(Netlink& net, int index, milliseconds timeout, const std::string& what,
                         Judge judge)
{
    const auto deadline = Clock::now() + timeout;
    auto events = listen_beside(net);
    if (!events)
        return std::move(events).error();
    const auto present = net.addresses(index);
    if (!present)
        return present.error();
    Verdict verdict;
    for (auto address = present->begin(); !verdict && address != present->end(); ++address)
        verdict = judge(&*address, false);
    if (!verdict)
        verdict = judge(nullptr, false);
    while (!verdict) {
        const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
        if (left.count() <= 0)
            return Error{LKL_ETIMEDOUT, what + ": timed out"};
        const auto replies = events->receive(left);
        if (!replies)
            return replies.error();
        replies->for_each([&](const NetlinkView& view) {
            if (view.type() != LKL_RTM_NEWADDR && view.type() != LKL_RTM_DELADDR)
                return;
            const Address address = netlink::read_address(view);
            if (!verdict && address.index == index)
                verdict = judge(&address, view.type() == LKL_RTM_DELADDR);
        });
    }
    return *std::move(verdict);
}

bool is_usable(const Address& address)
{
    return (address.flags & LKL_IFA_F_TENTATIVE) == 0 ||
           (address.flags & LKL_IFA_F_OPTIMISTIC) != 0;
}

}  // namespace

Result<void> Netlink::wait_for_dad(int index, const IpAddress& wanted, milliseconds timeout)
{
    const std::string what =
        "duplicate address detection of " + wanted.text() + " on " + interface_text(index);
    bool present = false;
    auto found =
        wait_for(*this, index, timeout, what, [&](const Address* address, bool removed) -> Verdict {
            if (address != nullptr && address->prefix.address != wanted)
                return std::nullopt;
            present = !removed && (present || address != nullptr);
            if (address != nullptr && (address->flags & LKL_IFA_F_DADFAILED) != 0)
                return Error{LKL_EADDRINUSE, what + ": another host has it"};
            if (!present)
                return Error{LKL_EADDRNOTAVAIL, what + ": the interface does not have it"};
            if (address != nullptr && is_usable(*address))
                return *address;
            return std::nullopt;
        });
    if (!found)
        return std::move(found).error();
    return {};
}

Result<Address> Netlink::wait_for_autoconfiguration(int index, milliseconds timeout)
{
    return wait_for(*this, index, timeout, "wait for an IPv6 address of " + interface_text(index),
                    [](const Address* address, bool removed) -> Verdict {
                        if (address != nullptr && !removed && address->prefix.address.is_v6() &&
                            address->scope == LKL_RT_SCOPE_UNIVERSE && is_usable(*address))
                            return *address;
                        return std::nullopt;
                    });
}

}  // namespace lkl
