// SPDX-License-Identifier: GPL-2.0-only
// UDP in packets of IPv4, as they are on the link.
#pragma once

#include <cstdint>
#include <span>

namespace lkl::dhcp {

// What a packet has for a port; empty: nothing, or it makes no sense. Checksums are the
// caller's matter: a packet that never left its host may have none.
std::span<const uint8_t> payload_for(std::span<const uint8_t> packet, uint16_t port);

}  // namespace lkl::dhcp
