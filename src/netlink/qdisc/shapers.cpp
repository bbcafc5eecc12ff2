// SPDX-License-Identifier: GPL-2.0-only
// Kinds whose options are structures of the kernel: fifos, tbf and htb.
#include <algorithm>
#include <limits>

#include <lkl/linux/pkt_sched.h>
#include <lkl/linux/rtnetlink.h>

#include "netlink/qdisc/kinds.hpp"

namespace lkl::qdisc {

namespace {

constexpr uint32_t most = std::numeric_limits<uint32_t>::max();

void read_limit(Words& words, NetlinkMessage& message, uint32_t (Words::*read)())
{
    lkl_tc_fifo_qopt options{};
    // Without one the kernel takes the interface's own.
    if (words.at_end())
        return;
    while (!words.at_end()) {
        if (words.accept("limit"))
            options.limit = (words.*read)();
        else {
            words.take();
            words.unknown();
        }
    }
    message.add(LKL_TCA_OPTIONS, options);
}

// Saying the layer below, the kernel needs no table of times for each size.
lkl_tc_ratespec rate_spec(uint64_t rate)
{
    lkl_tc_ratespec spec{};
    spec.linklayer = LKL_TC_LINKLAYER_ETHERNET;
    spec.rate = static_cast<uint32_t>(std::min<uint64_t>(rate, most));
    return spec;
}

struct TokenBucket {
    uint64_t rate = 0;   // bytes per second
    uint32_t burst = 0;  // bytes
    uint64_t peak_rate = 0;
    uint32_t mtu = 0;      // the peak rate's burst
    uint64_t latency = 0;  // nanoseconds
    uint32_t limit = 0;    // bytes
};

// What may wait: as much as goes out in `latency` at the slower of the two rates.
uint32_t limit_of(const TokenBucket& bucket)
{
    constexpr double ns_per_s = 1e9;
    if (bucket.limit != 0)
        return bucket.limit;
    const double seconds = static_cast<double>(bucket.latency) / ns_per_s;
    double limit = static_cast<double>(bucket.rate) * seconds + bucket.burst;
    if (bucket.peak_rate != 0)
        limit = std::min(limit, static_cast<double>(bucket.peak_rate) * seconds + bucket.mtu);
    return static_cast<uint32_t>(std::min<double>(limit, most));
}

TokenBucket read_bucket(Words& words)
{
    TokenBucket bucket;
    while (!words.at_end()) {
        const std::string_view word = words.take();
        if (word == "rate")
            bucket.rate = words.rate();
        else if (word == "burst" || word == "buffer" || word == "maxburst")
            bucket.burst = words.size();
        else if (word == "latency")
            bucket.latency = words.time();
        else if (word == "limit")
            bucket.limit = words.size();
        else if (word == "peakrate")
            bucket.peak_rate = words.rate();
        else if (word == "mtu" || word == "minburst")
            bucket.mtu = words.size();
        else
            words.unknown();
    }
    if (bucket.rate == 0 || bucket.burst == 0 || (bucket.latency == 0) == (bucket.limit == 0))
        words.fail("tbf needs \"rate\", \"burst\", and either \"latency\" or \"limit\"");
    else if ((bucket.peak_rate == 0) != (bucket.mtu == 0))
        words.fail("\"peakrate\" and \"mtu\" go together");
    return bucket;
}

}  // namespace

void read_fifo(Words& words, NetlinkMessage& message)
{
    read_limit(words, message, &Words::number);
}

void read_byte_fifo(Words& words, NetlinkMessage& message)
{
    read_limit(words, message, &Words::size);
}

void read_tbf(Words& words, NetlinkMessage& message)
{
    const TokenBucket bucket = read_bucket(words);
    lkl_tc_tbf_qopt options{};
    options.limit = limit_of(bucket);
    options.rate = rate_spec(bucket.rate);
    if (bucket.peak_rate != 0)
        options.peakrate = rate_spec(bucket.peak_rate);
    message.nest(LKL_TCA_OPTIONS, [&](NetlinkMessage& list) {
        list.add(LKL_TCA_TBF_PARMS, options);
        list.add(LKL_TCA_TBF_BURST, bucket.burst);
        if (bucket.rate > most)
            list.add(LKL_TCA_TBF_RATE64, bucket.rate);
        if (bucket.peak_rate != 0)
            list.add(LKL_TCA_TBF_PBURST, bucket.mtu);
        if (bucket.peak_rate > most)
            list.add(LKL_TCA_TBF_PRATE64, bucket.peak_rate);
    });
}

void read_htb(Words& words, NetlinkMessage& message)
{
    constexpr uint32_t version = 3;
    lkl_tc_htb_glob options{};
    options.version = version;
    options.rate2quantum = 10;  // as tc(8) has it
    uint32_t direct_length = 0;
    while (!words.at_end()) {
        const std::string_view word = words.take();
        if (word == "default")
            options.defcls = words.number_base16();
        else if (word == "r2q")
            options.rate2quantum = words.number();
        else if (word == "direct_qlen")
            direct_length = words.number();
        else
            words.unknown();
    }
    message.nest(LKL_TCA_OPTIONS, [&](NetlinkMessage& list) {
        list.add(LKL_TCA_HTB_INIT, options);
        if (direct_length != 0)
            list.add(LKL_TCA_HTB_DIRECT_QLEN, direct_length);
    });
}

}  // namespace lkl::qdisc
