// SPDX-License-Identifier: GPL-2.0-only
#include <core/vcpu_lock.hpp>

namespace lkl {

VcpuLock::VcpuLock() : may_bias_(posix::has_membarrier) {}

bool VcpuLock::try_word() noexcept
{
    unsigned value = word().load(std::memory_order_relaxed);
    while (!(value & LKL_VCPU_HELD)) {
        if (word().compare_exchange_weak(value, value | LKL_VCPU_HELD, std::memory_order_seq_cst,
                                         std::memory_order_relaxed))
            return true;
    }
    return false;
}

bool VcpuLock::acquire_slowly(Holder* holder) noexcept
{
    if (!try_word()) {
        if (!(word().load(std::memory_order_seq_cst) & biased))
            return false;
        revoke();
        if (!try_word())
            return false;
    }
    if (holder != last_ || !holder) {
        last_ = holder;
        if (holder)
            holder->streak = 0;
        return true;
    }
    if (may_bias_ && ++holder->streak >= streak_for_bias) {
        holder->streak = 0;
        std::lock_guard lock(mutex_);
        favourite_.store(holder, std::memory_order_relaxed);
        holder->active.store(true, std::memory_order_relaxed);
        word().fetch_or(biased, std::memory_order_seq_cst);
        bias_.store(holder, std::memory_order_release);
    }
    return true;
}

// Takes the bias away. Afterwards the thread that had it is in and holds the lock
// like any other, or it is out and the lock is free.
void VcpuLock::revoke() noexcept
{
    std::lock_guard lock(mutex_);
    if (bias_.load(std::memory_order_relaxed)) {
        bias_.store(nullptr, std::memory_order_seq_cst);
        posix::heavy_fence();
    }
    Holder* holder = favourite_.load(std::memory_order_relaxed);
    if (holder && !holder->active.load(std::memory_order_acquire)) {
        favourite_.store(nullptr, std::memory_order_relaxed);
        word().fetch_and(~(biased | LKL_VCPU_HELD), std::memory_order_seq_cst);
    }
}

// The holder, after it lost the bias or in order to give it up: the plain lock
// from here on.
void VcpuLock::unbias(Holder* holder) noexcept
{
    if (!holder || favourite_.load(std::memory_order_relaxed) != holder)
        return;
    std::lock_guard lock(mutex_);
    // Nobody frees the word: the holder is active, or was found to be.
    bias_.store(nullptr, std::memory_order_seq_cst);
    favourite_.store(nullptr, std::memory_order_relaxed);
    holder->active.store(false, std::memory_order_relaxed);
    word().fetch_and(~biased, std::memory_order_seq_cst);
}

bool VcpuLock::release_slowly(Holder* holder) noexcept
{
    unbias(holder);
    unsigned held = LKL_VCPU_HELD;
    return word().compare_exchange_strong(held, 0, std::memory_order_seq_cst,
                                          std::memory_order_relaxed);
}

// The thread has left by its own note, and then found the bias gone or an
// interrupt pending.
bool VcpuLock::release_contended(Holder& holder) noexcept
{
    holder.active.store(true, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (bias_.load(std::memory_order_relaxed) == &holder) {
        // Nobody was in meanwhile: the lock is still ours.
        return release_slowly(&holder);
    }
    holder.active.store(false, std::memory_order_release);
    // Whoever took the bias away may have found us in, or not: the word tells.
    revoke();
    // Found in, it left an interrupt to us that nobody else has taken since.
    return !(pending() && try_word());
}

void VcpuLock::release_pending(Holder* holder) noexcept
{
    unbias(holder);
    word().store(LKL_VCPU_PENDING, std::memory_order_seq_cst);
}

bool VcpuLock::ring() noexcept
{
    unsigned old = word().fetch_or(LKL_VCPU_PENDING, std::memory_order_seq_cst);
    if (old & biased) {
        // A device that completes at once rings in the thread that carries.
        const Holder* holder = favourite_.load(std::memory_order_relaxed);
        if (holder && holder->thread.load(std::memory_order_relaxed) == ::pthread_self() &&
            holder->active.load(std::memory_order_relaxed))
            return false;
        revoke();
        old = word().load(std::memory_order_seq_cst);
    }
    return !(old & LKL_VCPU_HELD);
}

}  // namespace lkl
