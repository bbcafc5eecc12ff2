// SPDX-License-Identifier: GPL-2.0-only
#include <platform/posix/cpus.hpp>

#include <sched.h>

namespace lkl::posix {

int cpus() noexcept
{
    static const int count = [] {
        cpu_set_t set;
        return ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    }();
    return count;
}

}  // namespace lkl::posix
