// SPDX-License-Identifier: GPL-2.0-only
// The host's clocks, in nanoseconds.
#pragma once

#include <cstdint>
#include <ctime>

namespace lkl::posix {

inline uint64_t read_clock(clockid_t clock) noexcept
{
    timespec now;
    ::clock_gettime(clock, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

inline uint64_t monotonic_now() noexcept
{
    return read_clock(CLOCK_MONOTONIC);
}
inline uint64_t realtime_now() noexcept
{
    return read_clock(CLOCK_REALTIME);
}

// A deadline that never comes.
constexpr uint64_t never = ~0ull;

}  // namespace lkl::posix
