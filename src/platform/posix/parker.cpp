// SPDX-License-Identifier: GPL-2.0-only
#include <platform/posix/parker.hpp>

#include <cerrno>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <platform/posix/clock.hpp>

namespace lkl::posix {

namespace {

long futex(std::atomic<uint32_t>* word, int op, uint32_t value, const timespec* deadline)
{
    return ::syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, deadline, nullptr,
                     FUTEX_BITSET_MATCH_ANY);
}

// Long enough for another core to finish a short call, short beside a sleep.
constexpr int spins = 40;

}  // namespace

void Parker::wake() noexcept { futex(&word_, FUTEX_WAKE, 1, nullptr); }

uint32_t Parker::wait(uint64_t deadline) noexcept
{
    timespec until{};
    const timespec* limit = nullptr;
    if (deadline != never) {
        until.tv_sec = static_cast<time_t>(deadline / 1'000'000'000);
        until.tv_nsec = static_cast<long>(deadline % 1'000'000'000);
        limit = &until;
    }
    for (;;) {
        uint32_t none = 0;
        if (!word_.compare_exchange_strong(none, sleeping, std::memory_order_seq_cst)) {
            const uint32_t bits = word_.exchange(0, std::memory_order_acquire) & ~sleeping;
            if (bits)
                return bits;
            continue;
        }
        // FUTEX_WAIT_BITSET takes an absolute time of the monotonic clock.
        const long result = futex(&word_, FUTEX_WAIT_BITSET, sleeping, limit);
        const bool late = result != 0 && errno == ETIMEDOUT;
        const uint32_t bits = word_.exchange(0, std::memory_order_acquire) & ~sleeping;
        if (bits || late)
            return bits;
    }
}

uint32_t Parker::spin_then_wait(uint64_t deadline) noexcept
{
    for (int i = 0; i < spins; ++i) {
        if (const uint32_t bits = take())
            return bits;
        __builtin_ia32_pause();
    }
    return wait(deadline);
}

}  // namespace lkl::posix
