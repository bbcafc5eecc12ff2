// SPDX-License-Identifier: GPL-2.0-only
// VcpuLock: who holds the virtual CPU, and whether it has interrupts to take.
//
// One word (lkl_vcpu.word) is lock and doorbell:
//
//   acquire  sets HELD if it is clear.
//   release  clears HELD if PENDING is clear, in one compare-and-exchange; else
//            the holder takes the interrupts first.
//   ring     sets PENDING. If HELD was clear, the caller sends somebody in.
//
// No interrupt is lost: ring() and release() change the same word. Either the
// release comes first, then ring() finds HELD clear; or ring() comes first, then
// the release fails.
//
// Bias. Two atomic operations cost more than a short system call, so a thread that
// comes again and again gets the lock for itself: BIASED and HELD stay set in the
// word, and the thread only notes in a word of its own (`active`) that it is in.
//
//   the thread, entering          anybody else, revoking (under mutex_)
//   1  active = 1                 A  bias_ = null
//   2  reads bias_                B  heavy_fence()
//                                 C  reads active
//
// The thread has no fence of its own between its two accesses, but the heavy one
// makes every thread of the process pass a full barrier between A and C. If that
// point lies before 2 of the other thread, 2 reads null and the thread stays out;
// if it lies behind 2, then behind 1 as well, and C reads 1. So either the thread
// knows that it lost the bias, or the revoker knows that the thread is in. Leaving
// (active = 0, then a look at bias_ and PENDING) is the same argument: a revoker
// that read 1 at C has its A and its PENDING seen by the look.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include <pthread.h>

#include <lkl/vcpu.h>
#include <platform/posix/fences.hpp>

namespace lkl {

class VcpuLock {
public:
    // A thread that may be given the bias. Stays as long as the lock.
    struct Holder {
        std::atomic<bool> active{false};
        // The thread that this belongs to at present.
        std::atomic<pthread_t> thread{};
        uint32_t streak = 0;  // the owner's
    };

    VcpuLock();

    void attach(lkl_vcpu* vcpu) noexcept { vcpu_ = vcpu; }

    // Takes the lock if nobody holds it. Null for a thread without a Holder.
    bool acquire(Holder* holder) noexcept
    {
        if (holder) [[likely]] {
            holder->active.store(true, std::memory_order_relaxed);
            std::atomic_signal_fence(std::memory_order_seq_cst);
            if (bias_.load(std::memory_order_relaxed) == holder) [[likely]] {
                std::atomic_signal_fence(std::memory_order_seq_cst);
                return true;
            }
            holder->active.store(false, std::memory_order_relaxed);
        }
        return acquire_slowly(holder);
    }

    // Gives the lock up, unless interrupts are pending: then false, and the caller
    // holds it still.
    bool release(Holder* holder) noexcept
    {
        if (holder && bias_.load(std::memory_order_relaxed) == holder) [[likely]] {
            holder->active.store(false, std::memory_order_release);
            std::atomic_signal_fence(std::memory_order_seq_cst);
            if (bias_.load(std::memory_order_relaxed) == holder &&
                !(word().load(std::memory_order_relaxed) & LKL_VCPU_PENDING)) [[likely]]
                return true;
            return release_contended(*holder);
        }
        return release_slowly(holder);
    }

    // The holder, after release() has said no, right before it takes the interrupts: not
    // to call release() again in between, which would find nothing pending. They
    // may be gone: raise() sets a bit, then rings; a holder that took the bit in between
    // leaves a bell behind that no bit belongs to, and that the kernel, which looks at
    // the bits, would never clear. Doorbell first, bits second: who rings from here on
    // makes the next release() say no again.
    void silence() noexcept
    {
        word().fetch_and(~unsigned{LKL_VCPU_PENDING}, std::memory_order_seq_cst);
    }

    // The holder. Gives the lock up with interrupts pending.
    void release_pending(Holder* holder) noexcept;

    // The holder. Another thread may go on in its place without asking: no bias.
    void unbias(Holder* holder) noexcept;

    // Any thread. Sets PENDING; true if nobody holds the lock, so that nobody would
    // see it. lkl_vcpu.pending has been set before.
    bool ring() noexcept;

    bool pending() const noexcept
    {
        return word().load(std::memory_order_seq_cst) & LKL_VCPU_PENDING;
    }

    // Before anybody else knows the lock.
    void hold_initially() noexcept { word().store(LKL_VCPU_HELD); }

    // No thread is given the bias any more; for tests of the plain lock.
    void never_bias() noexcept { may_bias_ = false; }

private:
    static constexpr unsigned biased = 1u << 31;

    // So often in a row does a thread come before it is given the bias.
    static constexpr uint32_t streak_for_bias = 64;

    std::atomic_ref<unsigned> word() const noexcept
    {
        return std::atomic_ref<unsigned>(vcpu_->word);
    }

    bool acquire_slowly(Holder* holder) noexcept;
    bool release_slowly(Holder* holder) noexcept;
    bool release_contended(Holder& holder) noexcept;
    bool try_word() noexcept;
    void revoke() noexcept;

    lkl_vcpu* vcpu_ = nullptr;
    std::atomic<Holder*> bias_{nullptr};
    bool may_bias_ = false;
    Holder* last_ = nullptr;  // the holder's

    std::mutex mutex_;                         // revocation
    std::atomic<Holder*> favourite_{nullptr};  // whose bias the BIASED bit stands for
};

}  // namespace lkl
