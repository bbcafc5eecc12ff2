// SPDX-License-Identifier: GPL-2.0-only
// The kinds of queueing disciplines that have words.
#pragma once

#include <string_view>

#include <lkl/netlink_message.hpp>

#include "netlink/qdisc/words.hpp"

namespace lkl::qdisc {

// A kind: reads its options from the words and puts them into the message's LKL_TCA_OPTIONS.
// No `read`: it has no options.
struct Kind {
    std::string_view name;
    void (*read)(Words& words, NetlinkMessage& message);
};

// Null: it is not known.
const Kind* find_kind(std::string_view name);

// Those that are not a list of attributes.
void read_fifo(Words& words, NetlinkMessage& message);  // pfifo: packets
void read_byte_fifo(Words& words, NetlinkMessage& message);
void read_netem(Words& words, NetlinkMessage& message);
void read_tbf(Words& words, NetlinkMessage& message);
void read_htb(Words& words, NetlinkMessage& message);

// Those that are: attribute_kinds.cpp.
void read_fq(Words& words, NetlinkMessage& message);
void read_fq_codel(Words& words, NetlinkMessage& message);
void read_codel(Words& words, NetlinkMessage& message);
void read_cake(Words& words, NetlinkMessage& message);

}  // namespace lkl::qdisc
