// SPDX-License-Identifier: GPL-2.0-only
// How messages name things.
#pragma once

#include <string>

namespace lkl::netlink {

inline std::string interface_text(int index)
{
    return "interface " + std::to_string(index);
}

}  // namespace lkl::netlink
