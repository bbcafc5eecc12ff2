// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>

namespace lkl::virtio {

// What a network device did so far.
struct NetStatistics {
    uint64_t sent = 0, received = 0;  // packets that the back end took and gave
    uint64_t bytes_sent = 0, bytes_received = 0;
    uint64_t lost_link_down = 0;     // packets of the kernel while the link was down
    uint64_t unwanted = 0;           // received, too long, too short, or not as agreed
    uint64_t refused = 0;            // sent, but the host did not take them
    uint64_t bad_packets = 0;        // the driver's mistake: not sent, or not filled
    uint64_t bad_packets_sent = 0;   // those of them that were not sent
    uint64_t bad_chains = 0;         // the driver's mistake that asks for a reset
    uint64_t bad_commands = 0;       // of the control queue, answered with an error
    uint64_t bad_notifications = 0;  // of a queue that does not exist
    uint64_t starved = 0;            // how often there was no room to receive into
    uint64_t blocked = 0;            // how often the back end was full
};

}  // namespace lkl::virtio
