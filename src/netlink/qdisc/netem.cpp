// SPDX-License-Identifier: GPL-2.0-only
// netem: a network's delay, loss and other faults.
#include <algorithm>
#include <limits>

#include <lkl/linux/pkt_sched.h>
#include <lkl/linux/rtnetlink.h>

#include "netlink/qdisc/kinds.hpp"

namespace lkl::qdisc {

namespace {

struct Faults {
    lkl_tc_netem_qopt options{};
    lkl_tc_netem_corr correlation{};
    lkl_tc_netem_reorder reorder{};
    lkl_tc_netem_corrupt corrupt{};
    lkl_tc_netem_rate rate{};
    int64_t delay = 0;  // nanoseconds
    int64_t jitter = 0;
    uint64_t bytes_per_second = 0;
    bool ecn = false;
};

// A share, and the optional correlation of each packet's fate with the last one's.
void read_chance(Words& words, uint32_t& share, uint32_t& correlation)
{
    share = words.share();
    if (words.value_follows())
        correlation = words.share();
}

void read_delay(Words& words, Faults& faults)
{
    faults.delay = static_cast<int64_t>(words.time());
    if (!words.value_follows())
        return;
    faults.jitter = static_cast<int64_t>(words.time());
    if (words.value_follows())
        faults.correlation.delay_corr = words.share();
}

void read_rate(Words& words, Faults& faults)
{
    faults.bytes_per_second = words.rate();
    faults.rate.rate = static_cast<uint32_t>(
        std::min<uint64_t>(faults.bytes_per_second, std::numeric_limits<uint32_t>::max()));
    if (words.value_follows())
        faults.rate.packet_overhead = words.signed_number();
}

Faults read_faults(Words& words)
{
    Faults faults;
    faults.options.limit = 1000;  // packets, as tc(8) has it
    while (!words.at_end()) {
        const std::string_view word = words.take();
        if (word == "limit")
            faults.options.limit = words.number();
        else if (word == "delay" || word == "latency")
            read_delay(words, faults);
        else if (word == "loss" || word == "drop") {
            words.accept("random");
            read_chance(words, faults.options.loss, faults.correlation.loss_corr);
        } else if (word == "duplicate")
            read_chance(words, faults.options.duplicate, faults.correlation.dup_corr);
        else if (word == "corrupt")
            read_chance(words, faults.corrupt.probability, faults.corrupt.correlation);
        else if (word == "reorder")
            read_chance(words, faults.reorder.probability, faults.reorder.correlation);
        else if (word == "gap")
            faults.options.gap = words.number();
        else if (word == "rate")
            read_rate(words, faults);
        else if (word == "ecn")
            faults.ecn = true;
        else
            words.unknown();
    }
    // What overtakes needs others that wait.
    if (faults.reorder.probability != 0) {
        if (faults.delay == 0)
            words.fail("\"reorder\" needs a \"delay\"");
        if (faults.options.gap == 0)
            faults.options.gap = 1;
    }
    return faults;
}

}  // namespace

// The structure comes first, attributes follow it.
void read_netem(Words& words, NetlinkMessage& message)
{
    const Faults faults = read_faults(words);
    message.nest(LKL_TCA_OPTIONS, [&](NetlinkMessage& list) {
        list.put(faults.options);
        list.add(LKL_TCA_NETEM_LATENCY64, faults.delay);
        list.add(LKL_TCA_NETEM_JITTER64, faults.jitter);
        list.add(LKL_TCA_NETEM_CORR, faults.correlation);
        list.add(LKL_TCA_NETEM_REORDER, faults.reorder);
        list.add(LKL_TCA_NETEM_CORRUPT, faults.corrupt);
        if (faults.bytes_per_second != 0) {
            list.add(LKL_TCA_NETEM_RATE64, faults.bytes_per_second);
            list.add(LKL_TCA_NETEM_RATE, faults.rate);
        }
        if (faults.ecn)
            list.add(LKL_TCA_NETEM_ECN, uint32_t{1});
    });
}

}  // namespace lkl::qdisc
