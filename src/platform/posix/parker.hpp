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
//
// A thread that waits can watch something of the host at the same time, so that what
// happens there costs one wake-up instead of two, see Watch. It sleeps in poll(2) then,
// and has set `watching` in place of `sleeping`; post() writes to the event descriptor,
// which stays readable until the thread is back: the same argument.
class Parker {
public:
    // What else a waiting thread looks after. One thread at a time.
    class Watch {
    public:
        // An eventfd(2), which poll() waits for as well, and empties.
        virtual int wake_fd() const noexcept = 0;
        // Waits for an event until the monotonic deadline in nanoseconds (0: does not
        // wait). True: there is one for serve().
        virtual bool poll(uint64_t deadline) noexcept = 0;
        // Does what there is to do; may post to the caller.
        virtual void serve() noexcept = 0;

    protected:
        ~Watch() = default;
    };

    // Any thread. Wakes the waiting thread if it sleeps.
    void post(uint32_t bits) noexcept
    {
        if (const uint32_t old = word_.fetch_or(bits, std::memory_order_seq_cst);
            old & (sleeping | watching)) [[unlikely]]
            wake(old);
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
    uint32_t wait(uint64_t deadline, Watch* watch = nullptr) noexcept;

private:
    static constexpr uint32_t sleeping = 1u << 31;
    static constexpr uint32_t watching = 1u << 30;

    void wake(uint32_t word) noexcept;
    uint32_t look_out(uint64_t until, Watch* watch) noexcept;
    uint32_t sleep(uint64_t deadline) noexcept;
    uint32_t sleep_watching(uint64_t deadline, Watch& watch) noexcept;

    std::atomic<uint32_t> word_{0};
    std::atomic<int> wake_fd_{-1};  // before `watching` is set
    bool short_waits_ = false;      // the owner's
};

}  // namespace lkl::posix
