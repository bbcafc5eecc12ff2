// SPDX-License-Identifier: GPL-2.0-only
// A rule set of nftables by Netlink::batch(): the example of docs/network.md, and what
// becomes of a transaction with a mistake in it.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <lkl/linux/in.h>
#include <lkl/linux/netfilter.h>
#include <lkl/linux/netfilter/nf_tables.h>
#include <lkl/linux/netfilter/nfnetlink.h>

#include "network/common/inner_network.hpp"

namespace {

using namespace lkl::test;
using lkl::NetlinkMessage;

constexpr uint16_t nested = LKL_NLA_F_NESTED;

constexpr uint32_t big_endian(uint32_t value)
{
    return __builtin_bswap32(value);
}

NetlinkMessage message(unsigned type, unsigned flags = 0)
{
    lkl_nfgenmsg head{};
    head.nfgen_family = LKL_NFPROTO_INET;
    NetlinkMessage message(static_cast<uint16_t>(LKL_NFNL_SUBSYS_NFTABLES << 8 | type),
                           flags | LKL_NLM_F_ACK);
    message.put(head);
    return message;
}

NetlinkMessage bracket(uint16_t type)
{
    lkl_nfgenmsg head{};
    head.res_id = LKL_NFNL_SUBSYS_NFTABLES << 8;  // in network byte order
    NetlinkMessage message(type);
    message.put(head);
    return message;
}

NetlinkMessage new_table(const char* name)
{
    auto table = message(LKL_NFT_MSG_NEWTABLE, LKL_NLM_F_CREATE);
    table.add_text(LKL_NFTA_TABLE_NAME, name);
    return table;
}

// type filter hook input priority 0; policy accept;
NetlinkMessage new_chain(const char* table, const char* name)
{
    auto chain = message(LKL_NFT_MSG_NEWCHAIN, LKL_NLM_F_CREATE);
    chain.add_text(LKL_NFTA_CHAIN_TABLE, table).add_text(LKL_NFTA_CHAIN_NAME, name);
    chain.nest(LKL_NFTA_CHAIN_HOOK | nested, [](NetlinkMessage& hook) {
        hook.add(LKL_NFTA_HOOK_HOOKNUM, big_endian(LKL_NF_INET_LOCAL_IN));
        hook.add(LKL_NFTA_HOOK_PRIORITY, big_endian(0));
    });
    chain.add_text(LKL_NFTA_CHAIN_TYPE, "filter");
    return chain;
}

template <typename Fill>
void add_expression(NetlinkMessage& list, const char* name, Fill fill)
{
    list.nest(LKL_NFTA_LIST_ELEM | nested, [&](NetlinkMessage& one) {
        one.add_text(LKL_NFTA_EXPR_NAME, name);
        one.nest(LKL_NFTA_EXPR_DATA | nested, fill);
    });
}

// Register 1 equals the value.
template <typename T>
void add_compare(NetlinkMessage& list, const T& value)
{
    add_expression(list, "cmp", [&](NetlinkMessage& data) {
        data.add(LKL_NFTA_CMP_SREG, big_endian(LKL_NFT_REG_1));
        data.add(LKL_NFTA_CMP_OP, big_endian(LKL_NFT_CMP_EQ));
        data.nest(LKL_NFTA_CMP_DATA | nested,
                  [&](NetlinkMessage& one) { one.add(LKL_NFTA_DATA_VALUE, value); });
    });
}

// meta l4proto udp udp dport PORT drop
NetlinkMessage drop_port(const char* table, const char* chain, uint16_t port)
{
    auto rule = message(LKL_NFT_MSG_NEWRULE, LKL_NLM_F_CREATE | LKL_NLM_F_APPEND);
    rule.add_text(LKL_NFTA_RULE_TABLE, table).add_text(LKL_NFTA_RULE_CHAIN, chain);
    rule.nest(LKL_NFTA_RULE_EXPRESSIONS | nested, [&](NetlinkMessage& list) {
        add_expression(list, "meta", [](NetlinkMessage& data) {
            data.add(LKL_NFTA_META_KEY, big_endian(LKL_NFT_META_L4PROTO));
            data.add(LKL_NFTA_META_DREG, big_endian(LKL_NFT_REG_1));
        });
        add_compare(list, uint8_t{LKL_IPPROTO_UDP});
        add_expression(list, "payload", [](NetlinkMessage& data) {
            data.add(LKL_NFTA_PAYLOAD_DREG, big_endian(LKL_NFT_REG_1));
            data.add(LKL_NFTA_PAYLOAD_BASE, big_endian(LKL_NFT_PAYLOAD_TRANSPORT_HEADER));
            data.add(LKL_NFTA_PAYLOAD_OFFSET, big_endian(2));
            data.add(LKL_NFTA_PAYLOAD_LEN, big_endian(2));
        });
        add_compare(list, static_cast<uint16_t>(__builtin_bswap16(port)));
        add_expression(list, "immediate", [](NetlinkMessage& data) {
            data.add(LKL_NFTA_IMMEDIATE_DREG, big_endian(LKL_NFT_REG_VERDICT));
            data.nest(LKL_NFTA_IMMEDIATE_DATA | nested, [](NetlinkMessage& one) {
                one.nest(LKL_NFTA_DATA_VERDICT | nested, [](NetlinkMessage& verdict) {
                    verdict.add(LKL_NFTA_VERDICT_CODE, big_endian(LKL_NF_DROP));
                });
            });
        });
    });
    return rule;
}

class Nftables : public testing::Test {
protected:
    Nftables()
    {
        auto net = must(lkl::Netlink::open(kernel));
        must(net.set_up(1));
    }

    lkl::Result<void> commit(std::vector<NetlinkMessage> changes)
    {
        changes.insert(changes.begin(), bracket(LKL_NFNL_MSG_BATCH_BEGIN));
        changes.push_back(bracket(LKL_NFNL_MSG_BATCH_END));
        return nf.batch(std::move(changes), "change rules");
    }

    // Whether a packet to a port of lo arrives.
    bool arrives(uint16_t port)
    {
        Socket server(kernel, LKL_AF_INET, LKL_SOCK_DGRAM);
        EXPECT_EQ(server.bind(ip("127.0.0.1"), port), 0);
        Socket client(kernel, LKL_AF_INET, LKL_SOCK_DGRAM);
        EXPECT_EQ(client.connect(ip("127.0.0.1"), port), 0);
        char byte = 'x';
        EXPECT_EQ(client.send(&byte, 1), 1);
        return server.receive(&byte, 1, 200ms) == 1;
    }

    int tables()
    {
        NetlinkMessage list(LKL_NFNL_SUBSYS_NFTABLES << 8 | LKL_NFT_MSG_GETTABLE, LKL_NLM_F_DUMP);
        list.put(lkl_nfgenmsg{});
        int count = 0;
        must(nf.query(std::move(list), "list tables")).for_each([&](const lkl::NetlinkView&) {
            ++count;
        });
        return count;
    }

    lkl::Kernel kernel = boot();
    lkl::Netlink nf = must(lkl::Netlink::open(kernel, LKL_NETLINK_NETFILTER));
};

TEST_F(Nftables, ARuleDropsAPort)
{
    EXPECT_TRUE(arrives(4000));
    ASSERT_EQ(error_of(commit({new_table("filter"), new_chain("filter", "input"),
                               drop_port("filter", "input", 4000)})),
              "");
    EXPECT_FALSE(arrives(4000));
    EXPECT_TRUE(arrives(4001));
    auto removed = message(LKL_NFT_MSG_DELTABLE);
    removed.add_text(LKL_NFTA_TABLE_NAME, "filter");
    must(commit({removed}));
    EXPECT_TRUE(arrives(4000));
}

TEST_F(Nftables, AMistakeUndoesTheTransaction)
{
    const auto changed = commit({new_table("filter"), new_chain("filter", "input"),
                                 drop_port("filter", "no-such-chain", 4000)});
    EXPECT_EQ(error_of(changed), "change rules: No such file or directory");
    EXPECT_EQ(tables(), 0);
    // The socket is as before.
    must(commit({new_table("filter")}));
    EXPECT_EQ(tables(), 1);
}

}  // namespace
