// SPDX-License-Identifier: GPL-2.0-only
// What the process has mapped, as the host's kernel tells it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include <lkl/result.hpp>

namespace lkl::posix {

// A place in a mapping, whose address was found by arithmetic.
inline std::byte* pointer(uintptr_t address) noexcept
{
    // NOLINTNEXTLINE(performance-no-int-to-ptr): see above
    return reinterpret_cast<std::byte*>(address);
}

struct Mapping {
    uintptr_t start = 0, end = 0;
    int protection = 0;   // PROT_*
    bool shared = false;  // MAP_SHARED
    uint64_t offset = 0;  // of `start` in what is mapped, bytes
};

// What of [start, end) is mapped, by address; a mapping that goes past it is cut off.
// Errors: those of opening /proc/self/maps.
Result<std::vector<Mapping>> list_mappings(uintptr_t start, uintptr_t end);

// Calls `function` with each range of pages in [start, end) that are in memory or swapped
// out, by address. Errors: those of reading /proc/self/pagemap.
Result<void> for_each_existing_page(uintptr_t start, uintptr_t end,
                                    const std::function<void(uintptr_t, uintptr_t)>& function);

}  // namespace lkl::posix
