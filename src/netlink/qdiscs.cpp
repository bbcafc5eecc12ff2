// SPDX-License-Identifier: GPL-2.0-only
#include <charconv>
#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/linux/gen_stats.h>
#include <lkl/linux/pkt_sched.h>
#include <lkl/netlink.hpp>

#include "netlink/names.hpp"
#include "netlink/qdisc/kinds.hpp"

namespace lkl {

using netlink::interface_text;

namespace {

// "1:2" or "1:", both numbers to the base of 16; nothing if it is neither.
std::optional<uint32_t> parse_handle(std::string_view text)
{
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos)
        return std::nullopt;
    const auto half = [](std::string_view part) -> std::optional<uint32_t> {
        uint16_t value = 0;
        const char* const end = part.data() + part.size();
        const auto [stop, error] = std::from_chars(part.data(), end, value, 16);
        if (!part.empty() && (error != std::errc() || stop != end))
            return std::nullopt;
        return value;
    };
    const auto major = half(text.substr(0, colon));
    const auto minor = half(text.substr(colon + 1));
    if (!major || !minor)
        return std::nullopt;
    return *major << 16 | *minor;
}

// Where a queueing discipline is, as tc(8) says it: "root", "root handle 1:", "1:2".
Result<lkl_tcmsg> parse_place(int index, std::string_view text, const std::string& what)
{
    lkl_tcmsg head{};
    head.tcm_ifindex = index;
    qdisc::Words words(text);
    if (words.accept("root"))
        head.tcm_parent = LKL_TC_H_ROOT;
    else if (words.accept("ingress") || words.accept("clsact"))
        head.tcm_parent = LKL_TC_H_INGRESS;
    else if (const auto parent = parse_handle(words.take()))
        head.tcm_parent = *parent;
    else
        words.fail("unknown parent \"" + std::string(text) + '"');
    if (words.accept("handle")) {
        const auto handle = parse_handle(words.take());
        if (!handle)
            words.fail("bad handle in \"" + std::string(text) + '"');
        head.tcm_handle = handle.value_or(0);
    }
    if (!words.at_end()) {
        words.take();
        words.unknown();
    }
    if (words.error())
        return Error{words.error()->code, what + ": " + words.error()->what};
    return head;
}

Qdisc read_qdisc(const NetlinkView& view)
{
    const auto head = view.family_header<lkl_tcmsg>();
    const auto attributes = view.attributes<lkl_tcmsg>();
    const NetlinkAttributes statistics(attributes[LKL_TCA_STATS2]);
    const auto sent = statistics[LKL_TCA_STATS_BASIC].get_or(lkl_gnet_stats_basic{});
    const auto queue = statistics[LKL_TCA_STATS_QUEUE].get_or(lkl_gnet_stats_queue{});
    Qdisc qdisc;
    qdisc.index = head.tcm_ifindex;
    qdisc.kind = attributes[LKL_TCA_KIND].text();
    qdisc.handle = head.tcm_handle;
    qdisc.parent = head.tcm_parent;
    qdisc.bytes = sent.bytes;
    qdisc.packets = sent.packets;
    qdisc.drops = queue.drops;
    qdisc.queued = queue.qlen;
    return qdisc;
}

}  // namespace

Result<std::vector<Qdisc>> Netlink::qdiscs(int index)
{
    lkl_tcmsg head{};
    head.tcm_ifindex = index;
    NetlinkMessage message(LKL_RTM_GETQDISC, LKL_NLM_F_DUMP);
    message.put(head);
    auto replies = query(std::move(message), "list queueing disciplines");
    if (!replies)
        return std::move(replies).error();
    std::vector<Qdisc> qdiscs;
    replies->for_each([&](const NetlinkView& view) {
        Qdisc qdisc = read_qdisc(view);
        // The kernel lists those of all interfaces.
        if (index == 0 || qdisc.index == index)
            qdiscs.push_back(std::move(qdisc));
    });
    return qdiscs;
}

Result<void> Netlink::set_qdisc(int index, std::string_view parent, std::string_view text)
{
    const std::string what = "set qdisc \"" + std::string(text) + "\" of " + interface_text(index);
    const auto head = parse_place(index, parent, what);
    if (!head)
        return head.error();
    qdisc::Words words(text);
    const std::string_view name = words.take();
    const qdisc::Kind* const kind = qdisc::find_kind(name);
    if (kind == nullptr)
        return Error{LKL_EINVAL, what + ": unknown kind \"" + std::string(name) + '"'};

    NetlinkMessage message(LKL_RTM_NEWQDISC, LKL_NLM_F_CREATE | LKL_NLM_F_REPLACE);
    message.put(*head).add_text(LKL_TCA_KIND, kind->name);
    if (kind->read != nullptr)
        kind->read(words, message);
    if (!words.at_end()) {
        words.take();
        words.unknown();
    }
    if (words.error())
        return Error{words.error()->code, what + ": " + words.error()->what};
    return request(std::move(message), what);
}

Result<void> Netlink::delete_qdisc(int index, std::string_view parent)
{
    const std::string what = "delete qdisc of " + interface_text(index);
    const auto head = parse_place(index, parent, what);
    if (!head)
        return head.error();
    NetlinkMessage message(LKL_RTM_DELQDISC);
    message.put(*head);
    return request(std::move(message), what);
}

}  // namespace lkl
