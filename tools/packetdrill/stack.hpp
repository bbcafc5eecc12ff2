// SPDX-License-Identifier: GPL-2.0-only
// The network stack of one script: a kernel, its tunnel, and the host's settings.
#pragma once

#include <memory>
#include <optional>

#include <lkl/asm/errno.h>
#include <lkl/kernel.hpp>

#include "common/descriptor.hpp"
#include "packetdrill/host_queues.hpp"
#include "packetdrill/host_settings.hpp"
#include "packetdrill/tunnel.hpp"

namespace packetdrill {

class Stack {
public:
    // Boots. What fails is told on standard error, and all calls are -ENETDOWN then:
    // packetdrill has no other way to be told.
    explicit Stack(std::string_view flags);

    // A call of the kernel, with its result: a value or a negative errno. Any thread.
    template <typename... Args>
    long call(long number, Args... args)
    {
        lkl::Kernel* const kernel = ready();
        return kernel ? kernel->syscall(number, args...) : -LKL_ENETDOWN;
    }

    // A copy in memory that the kernel can pin, as it does for MSG_ZEROCOPY; there as long as
    // the kernel, which may send from it when the call is long over. A negative errno as
    // call()'s, or an address.
    long pin(std::span<const std::byte> data);

    // See Tunnel. Each by one thread at a time.
    long send(std::span<const std::byte> packet);
    long receive(std::span<std::byte> room, long long& microseconds);

private:
    lkl::Result<void> start(std::string_view text);
    // The kernel, with the settings that the script's commands have made; or null.
    lkl::Kernel* ready();

    tools::Descriptor log_;
    std::optional<lkl::Kernel> kernel_;
    std::optional<Tunnel> tunnel_;
    std::optional<HostSettings> settings_;
    std::optional<HostQueues> queues_;
};

}  // namespace packetdrill
