// SPDX-License-Identifier: GPL-2.0-only
// Parker: where a host thread sleeps until somebody has a message for it.
#pragma once

#include <atomic>
#include <cstdint>

namespace lkl::posix {

// One thread waits, any number post. Messages are bits; posting a bit twice
// before it is taken is the same as once.
//
// No wake-up is lost: both sides change the one word with a read-modify-write.
// Either post() comes first, then wait() finds the bit and does not sleep; or
// wait() has set `sleeping` first, then post() sees it and wakes the futex, whose
// wait the host refuses if the word has changed by then.
class Parker {
public:
    // Any thread. Wakes the waiting thread if it sleeps.
    void post(uint32_t bits) noexcept
    {
        if (word_.fetch_or(bits, std::memory_order_seq_cst) & sleeping)
            wake();
    }

    // The owner. Takes what was posted, without waiting.
    uint32_t take() noexcept
    {
        if (word_.load(std::memory_order_relaxed) == 0)
            return 0;
        return word_.exchange(0, std::memory_order_acquire);
    }

    // The owner. Waits for messages until the monotonic deadline in nanoseconds
    // (posix::never: without end), and takes them. 0: the deadline passed.
    uint32_t wait(uint64_t deadline) noexcept;

    // The owner. The same after a short while of looking without sleeping.
    uint32_t spin_then_wait(uint64_t deadline) noexcept;

private:
    static constexpr uint32_t sleeping = 1u << 31;

    void wake() noexcept;

    std::atomic<uint32_t> word_{0};
};

}  // namespace lkl::posix
