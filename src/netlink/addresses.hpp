// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <lkl/netlink.hpp>

namespace lkl::netlink {

// What a message of LKL_RTM_NEWADDR or LKL_RTM_DELADDR says.
Address read_address(const NetlinkView& view);

}  // namespace lkl::netlink
