// SPDX-License-Identifier: GPL-2.0-only
// What scripts set by tc(8) on tun0 of the host is meant for our kernel's.
#pragma once

#include <mutex>

#include <lkl/kernel.hpp>

#include "common/descriptor.hpp"

namespace packetdrill {

// Each root queueing discipline that an interface tun0 of the host's gets, in the network
// namespace that this process is in, is set on ours with the same options: both kernels have
// the same format of them. Any thread.
class HostQueues {
public:
    // Nothing is seen where the host gives no netlink socket.
    HostQueues();

    // Repeats in `kernel` what was set since the last call. A line on standard error for what
    // `kernel` does not take.
    void apply(lkl::Kernel& kernel);

private:
    std::mutex mutex_;
    tools::Descriptor events_;
};

}  // namespace packetdrill
