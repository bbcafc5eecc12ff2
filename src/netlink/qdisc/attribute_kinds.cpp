// SPDX-License-Identifier: GPL-2.0-only
// Kinds whose options are attributes: a table of words for each, as in their tc-NAME(8).
#include <algorithm>
#include <limits>
#include <span>

#include <lkl/linux/pkt_sched.h>
#include <lkl/linux/rtnetlink.h>

#include "netlink/qdisc/kinds.hpp"

namespace lkl::qdisc {

namespace {

enum class Value {
    number,
    signed_number,
    log2,        // of a power of two
    size,        // bytes
    time,        // microseconds
    round_trip,  // the same; its twentieth is another attribute
    network,     // the word stands for a round trip
    rate,        // bytes per second
    rate64,
    fixed,       // the word stands for a value
    fixed_byte,  // the same in 8 bits
};

struct Option {
    std::string_view word;
    Value value;
    uint16_t attribute;
    uint32_t fixed = 0;
};

// UINT32_MAX stands for no limit.
uint32_t rate32(uint64_t rate)
{
    return static_cast<uint32_t>(
        std::min<uint64_t>(rate, std::numeric_limits<uint32_t>::max() - 1));
}

uint32_t read_log2(Words& words)
{
    const uint32_t number = words.number();
    uint32_t log = 0;
    while (log < 31 && (1u << log) < number)
        ++log;
    if ((1u << log) != number)
        words.fail("a number of buckets must be a power of two");
    return log;
}

// cake's time to react, and the queue's delay that it aims for.
void add_round_trip(uint32_t us, NetlinkMessage& message)
{
    constexpr uint32_t targets_per_round_trip = 20;
    message.add(LKL_TCA_CAKE_RTT, us);
    message.add(LKL_TCA_CAKE_TARGET, std::max(us / targets_per_round_trip, 1u));
}

void read_value(const Option& option, Words& words, NetlinkMessage& message)
{
    switch (option.value) {
    case Value::number:
        message.add(option.attribute, words.number());
        break;
    case Value::signed_number:
        message.add(option.attribute, words.signed_number());
        break;
    case Value::log2:
        message.add(option.attribute, read_log2(words));
        break;
    case Value::size:
        message.add(option.attribute, words.size());
        break;
    case Value::time:
        message.add(option.attribute, words.time_us());
        break;
    case Value::round_trip:
        add_round_trip(words.time_us(), message);
        break;
    case Value::network:
        add_round_trip(option.fixed, message);
        break;
    case Value::rate:
        message.add(option.attribute, rate32(words.rate()));
        break;
    case Value::rate64:
        message.add(option.attribute, words.rate());
        break;
    case Value::fixed:
        message.add(option.attribute, option.fixed);
        break;
    case Value::fixed_byte:
        message.add(option.attribute, static_cast<uint8_t>(option.fixed));
        break;
    }
}

void read_options(std::span<const Option> options, Words& words, NetlinkMessage& message)
{
    message.nest(LKL_TCA_OPTIONS, [&](NetlinkMessage& list) {
        while (!words.at_end()) {
            const std::string_view word = words.take();
            const auto found =
                std::find_if(options.begin(), options.end(),
                             [&](const Option& option) { return option.word == word; });
            if (found == options.end())
                words.unknown();
            else
                read_value(*found, words, list);
        }
    });
}

constexpr Option fq_options[] = {
    {"limit", Value::number, LKL_TCA_FQ_PLIMIT},
    {"flow_limit", Value::number, LKL_TCA_FQ_FLOW_PLIMIT},
    {"quantum", Value::size, LKL_TCA_FQ_QUANTUM},
    {"initial_quantum", Value::size, LKL_TCA_FQ_INITIAL_QUANTUM},
    {"maxrate", Value::rate, LKL_TCA_FQ_FLOW_MAX_RATE},
    {"low_rate_threshold", Value::rate, LKL_TCA_FQ_LOW_RATE_THRESHOLD},
    {"buckets", Value::log2, LKL_TCA_FQ_BUCKETS_LOG},
    {"pacing", Value::fixed, LKL_TCA_FQ_RATE_ENABLE, 1},
    {"nopacing", Value::fixed, LKL_TCA_FQ_RATE_ENABLE, 0},
    {"refill_delay", Value::time, LKL_TCA_FQ_FLOW_REFILL_DELAY},
    {"orphan_mask", Value::number, LKL_TCA_FQ_ORPHAN_MASK},
    {"ce_threshold", Value::time, LKL_TCA_FQ_CE_THRESHOLD},
    {"horizon", Value::time, LKL_TCA_FQ_HORIZON},
    {"horizon_drop", Value::fixed_byte, LKL_TCA_FQ_HORIZON_DROP, 1},
    {"horizon_cap", Value::fixed_byte, LKL_TCA_FQ_HORIZON_DROP, 0},
};

constexpr Option fq_codel_options[] = {
    {"limit", Value::number, LKL_TCA_FQ_CODEL_LIMIT},
    {"flows", Value::number, LKL_TCA_FQ_CODEL_FLOWS},
    {"quantum", Value::size, LKL_TCA_FQ_CODEL_QUANTUM},
    {"target", Value::time, LKL_TCA_FQ_CODEL_TARGET},
    {"interval", Value::time, LKL_TCA_FQ_CODEL_INTERVAL},
    {"ce_threshold", Value::time, LKL_TCA_FQ_CODEL_CE_THRESHOLD},
    {"memory_limit", Value::size, LKL_TCA_FQ_CODEL_MEMORY_LIMIT},
    {"drop_batch", Value::number, LKL_TCA_FQ_CODEL_DROP_BATCH_SIZE},
    {"ecn", Value::fixed, LKL_TCA_FQ_CODEL_ECN, 1},
    {"noecn", Value::fixed, LKL_TCA_FQ_CODEL_ECN, 0},
};

constexpr Option codel_options[] = {
    {"limit", Value::number, LKL_TCA_CODEL_LIMIT},
    {"target", Value::time, LKL_TCA_CODEL_TARGET},
    {"interval", Value::time, LKL_TCA_CODEL_INTERVAL},
    {"ce_threshold", Value::time, LKL_TCA_CODEL_CE_THRESHOLD},
    {"ecn", Value::fixed, LKL_TCA_CODEL_ECN, 1},
    {"noecn", Value::fixed, LKL_TCA_CODEL_ECN, 0},
};

constexpr uint32_t ms = 1000;  // in microseconds

constexpr Option cake_options[] = {
    {"bandwidth", Value::rate64, LKL_TCA_CAKE_BASE_RATE64},
    {"autorate-ingress", Value::fixed, LKL_TCA_CAKE_AUTORATE, 1},
    {"rtt", Value::round_trip, LKL_TCA_CAKE_RTT},
    {"datacentre", Value::network, LKL_TCA_CAKE_RTT, 100},
    {"lan", Value::network, LKL_TCA_CAKE_RTT, 1 * ms},
    {"metro", Value::network, LKL_TCA_CAKE_RTT, 10 * ms},
    {"regional", Value::network, LKL_TCA_CAKE_RTT, 30 * ms},
    {"internet", Value::network, LKL_TCA_CAKE_RTT, 100 * ms},
    {"oceanic", Value::network, LKL_TCA_CAKE_RTT, 300 * ms},
    {"satellite", Value::network, LKL_TCA_CAKE_RTT, 1000 * ms},
    {"besteffort", Value::fixed, LKL_TCA_CAKE_DIFFSERV_MODE, LKL_CAKE_DIFFSERV_BESTEFFORT},
    {"precedence", Value::fixed, LKL_TCA_CAKE_DIFFSERV_MODE, LKL_CAKE_DIFFSERV_PRECEDENCE},
    {"diffserv3", Value::fixed, LKL_TCA_CAKE_DIFFSERV_MODE, LKL_CAKE_DIFFSERV_DIFFSERV3},
    {"diffserv4", Value::fixed, LKL_TCA_CAKE_DIFFSERV_MODE, LKL_CAKE_DIFFSERV_DIFFSERV4},
    {"diffserv8", Value::fixed, LKL_TCA_CAKE_DIFFSERV_MODE, LKL_CAKE_DIFFSERV_DIFFSERV8},
    {"flowblind", Value::fixed, LKL_TCA_CAKE_FLOW_MODE, LKL_CAKE_FLOW_NONE},
    {"srchost", Value::fixed, LKL_TCA_CAKE_FLOW_MODE, LKL_CAKE_FLOW_SRC_IP},
    {"dsthost", Value::fixed, LKL_TCA_CAKE_FLOW_MODE, LKL_CAKE_FLOW_DST_IP},
    {"hosts", Value::fixed, LKL_TCA_CAKE_FLOW_MODE, LKL_CAKE_FLOW_HOSTS},
    {"flows", Value::fixed, LKL_TCA_CAKE_FLOW_MODE, LKL_CAKE_FLOW_FLOWS},
    {"dual-srchost", Value::fixed, LKL_TCA_CAKE_FLOW_MODE, LKL_CAKE_FLOW_DUAL_SRC},
    {"dual-dsthost", Value::fixed, LKL_TCA_CAKE_FLOW_MODE, LKL_CAKE_FLOW_DUAL_DST},
    {"triple-isolate", Value::fixed, LKL_TCA_CAKE_FLOW_MODE, LKL_CAKE_FLOW_TRIPLE},
    {"nat", Value::fixed, LKL_TCA_CAKE_NAT, 1},
    {"nonat", Value::fixed, LKL_TCA_CAKE_NAT, 0},
    {"wash", Value::fixed, LKL_TCA_CAKE_WASH, 1},
    {"nowash", Value::fixed, LKL_TCA_CAKE_WASH, 0},
    {"split-gso", Value::fixed, LKL_TCA_CAKE_SPLIT_GSO, 1},
    {"no-split-gso", Value::fixed, LKL_TCA_CAKE_SPLIT_GSO, 0},
    {"ack-filter", Value::fixed, LKL_TCA_CAKE_ACK_FILTER, LKL_CAKE_ACK_FILTER},
    {"ack-filter-aggressive", Value::fixed, LKL_TCA_CAKE_ACK_FILTER, LKL_CAKE_ACK_AGGRESSIVE},
    {"no-ack-filter", Value::fixed, LKL_TCA_CAKE_ACK_FILTER, LKL_CAKE_ACK_NONE},
    {"ingress", Value::fixed, LKL_TCA_CAKE_INGRESS, 1},
    {"egress", Value::fixed, LKL_TCA_CAKE_INGRESS, 0},
    {"memlimit", Value::size, LKL_TCA_CAKE_MEMORY},
    {"fwmark", Value::number, LKL_TCA_CAKE_FWMARK},
    {"overhead", Value::signed_number, LKL_TCA_CAKE_OVERHEAD},
    {"mpu", Value::number, LKL_TCA_CAKE_MPU},
    {"raw", Value::fixed, LKL_TCA_CAKE_RAW, 0},
};

}  // namespace

void read_fq(Words& words, NetlinkMessage& message)
{
    read_options(fq_options, words, message);
}

void read_fq_codel(Words& words, NetlinkMessage& message)
{
    read_options(fq_codel_options, words, message);
}

void read_codel(Words& words, NetlinkMessage& message)
{
    read_options(codel_options, words, message);
}

// A bandwidth of 0 is none.
void read_cake(Words& words, NetlinkMessage& message)
{
    read_options(cake_options, words, message);
}

}  // namespace lkl::qdisc
