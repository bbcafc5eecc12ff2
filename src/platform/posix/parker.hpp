// SPDX-License-Identifier: GPL-2.0-only
// Parker: where a host thread waits until somebody has a message for it.
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
//
// To sleep and to be woken costs more than many a wait takes: two threads that
// hand something back and forth would do little else. So a thread whose last wait was
// short looks for the message for a while before it sleeps, as KVM does with a
// virtual CPU that halts (Documentation/virt/kvm/halt-polling.rst). One whose last wait
// was long sleeps at once, so that waiting costs nothing in the end. Never do all
// CPUs look out: who posts needs one.
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

private:
    static constexpr uint32_t sleeping = 1u << 31;

    void wake() noexcept;
    uint32_t look_out(uint64_t until) noexcept;
    uint32_t sleep(uint64_t deadline) noexcept;

    std::atomic<uint32_t> word_{0};
    bool short_waits_ = false;  // the owner's
};

}  // namespace lkl::posix
