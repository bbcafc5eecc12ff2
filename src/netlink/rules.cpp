// SPDX-License-Identifier: GPL-2.0-only
#include <utility>

#include <lkl/linux/fib_rules.h>
#include <lkl/netlink.hpp>

namespace lkl {

namespace {

Rule read_rule(const NetlinkView& view)
{
    const auto head = view.family_header<lkl_fib_rule_hdr>();
    const auto attributes = view.attributes<lkl_fib_rule_hdr>();
    Rule rule;
    rule.family = head.family;
    // The first rule's 0 is not told.
    rule.priority = attributes[LKL_FRA_PRIORITY].get_or<uint32_t>(0);
    if (const auto from = attributes[LKL_FRA_SRC])
        rule.from = IpPrefix{from.address(), head.src_len};
    if (const auto to = attributes[LKL_FRA_DST])
        rule.to = IpPrefix{to.address(), head.dst_len};
    rule.mark = attributes[LKL_FRA_FWMARK].get_or<uint32_t>(0);
    rule.mask = attributes[LKL_FRA_FWMASK].get_or<uint32_t>(0);
    rule.input = attributes[LKL_FRA_IIFNAME].text();
    rule.output = attributes[LKL_FRA_OIFNAME].text();
    rule.table = attributes[LKL_FRA_TABLE].get_or<uint32_t>(head.table);
    rule.action = head.action;
    return rule;
}

}  // namespace

Result<std::vector<Rule>> Netlink::rules(int family)
{
    std::vector<Rule> rules;
    for (const int one : {LKL_AF_INET, LKL_AF_INET6}) {
        if (family != LKL_AF_UNSPEC && family != one)
            continue;
        lkl_fib_rule_hdr head{};
        head.family = static_cast<uint8_t>(one);
        NetlinkMessage message(LKL_RTM_GETRULE, LKL_NLM_F_DUMP);
        message.put(head);
        auto replies = query(std::move(message), "list rules");
        if (!replies)
            return std::move(replies).error();
        replies->for_each([&](const NetlinkView& view) { rules.push_back(read_rule(view)); });
    }
    return rules;
}

Result<void> Netlink::put_rule(const Rule& rule, uint16_t type, unsigned flags)
{
    lkl_fib_rule_hdr head{};
    head.family = static_cast<uint8_t>(rule.family);
    head.action = rule.action;
    head.src_len = rule.from ? rule.from->length : 0;
    head.dst_len = rule.to ? rule.to->length : 0;
    NetlinkMessage message(type, flags);
    message.put(head);
    if (rule.from)
        message.add_address(LKL_FRA_SRC, rule.from->address);
    if (rule.to)
        message.add_address(LKL_FRA_DST, rule.to->address);
    if (rule.priority)
        message.add(LKL_FRA_PRIORITY, *rule.priority);
    if (rule.mask != 0) {
        message.add(LKL_FRA_FWMARK, rule.mark);
        message.add(LKL_FRA_FWMASK, rule.mask);
    }
    if (!rule.input.empty())
        message.add_text(LKL_FRA_IIFNAME, rule.input);
    if (!rule.output.empty())
        message.add_text(LKL_FRA_OIFNAME, rule.output);
    if (rule.action == LKL_FR_ACT_TO_TBL)
        message.add(LKL_FRA_TABLE, rule.table);
    std::string what = type == LKL_RTM_DELRULE ? "delete rule" : "add rule";
    if (rule.from)
        what += " from " + rule.from->text();
    if (rule.to)
        what += " to " + rule.to->text();
    return request(std::move(message), what);
}

Result<void> Netlink::add_rule(const Rule& rule)
{
    return put_rule(rule, LKL_RTM_NEWRULE, LKL_NLM_F_CREATE | LKL_NLM_F_EXCL);
}

Result<void> Netlink::delete_rule(const Rule& rule)
{
    return put_rule(rule, LKL_RTM_DELRULE, 0);
}

}  // namespace lkl
