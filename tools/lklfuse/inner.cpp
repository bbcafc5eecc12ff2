// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/inner.hpp"

namespace tools::lklfuse {

void Inner::look_for_crash() noexcept
{
    const std::string log = kernel_.panic_message();
    if (!log.empty() && !told_.exchange(true))
        crashed_(log);
}

}  // namespace tools::lklfuse
