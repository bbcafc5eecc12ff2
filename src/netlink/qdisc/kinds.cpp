// SPDX-License-Identifier: GPL-2.0-only
#include "netlink/qdisc/kinds.hpp"

#include <algorithm>
#include <array>

namespace lkl::qdisc {

namespace {

constexpr std::array kinds{
    Kind{"bfifo", read_byte_fifo}, Kind{"cake", read_cake},
    Kind{"clsact", nullptr},       Kind{"codel", read_codel},
    Kind{"fq", read_fq},           Kind{"fq_codel", read_fq_codel},
    Kind{"htb", read_htb},         Kind{"ingress", nullptr},
    Kind{"mq", nullptr},           Kind{"netem", read_netem},
    Kind{"noqueue", nullptr},      Kind{"pfifo", read_fifo},
    Kind{"pfifo_fast", nullptr},   Kind{"pfifo_head_drop", read_fifo},
    Kind{"tbf", read_tbf},
};

}  // namespace

const Kind* find_kind(std::string_view name)
{
    const auto found = std::find_if(kinds.begin(), kinds.end(),
                                    [&](const Kind& kind) { return kind.name == name; });
    return found == kinds.end() ? nullptr : &*found;
}

}  // namespace lkl::qdisc
