// SPDX-License-Identifier: GPL-2.0-only
#include <platform/posix/parker.hpp>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <platform/posix/clock.hpp>
#include <platform/posix/cpus.hpp>

namespace lkl::posix {

namespace {

long futex(std::atomic<uint32_t>* word, int op, uint32_t value, const timespec* deadline)
{
    return ::syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, deadline, nullptr,
                     FUTEX_BITSET_MATCH_ANY);
}

// A wait of up to so many nanoseconds is short, as it is for KVM (halt_poll_ns): a few
// times what it costs to sleep and to be woken.
constexpr uint64_t short_wait = 200'000;

// Looks between two readings of the clock.
constexpr int looks = 8;

// How many more threads of the process may look out at present.
std::atomic<int> lookouts{cpus() - 1};

}  // namespace

void Parker::wake(uint32_t word) noexcept
{
    if (word & sleeping) {
        futex(&word_, FUTEX_WAKE, 1, nullptr);
        return;
    }
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = ::write(wake_fd_.load(), &one, sizeof one);
}

uint32_t Parker::look_out(uint64_t until, Watch* watch) noexcept
{
    uint32_t bits = 0;
    if (lookouts.fetch_sub(1, std::memory_order_relaxed) > 0) {
        do {
            if (watch && watch->poll(0))
                watch->serve();
            for (int i = 0; i < looks && !(bits = take()); ++i)
                __builtin_ia32_pause();
        } while (!bits && monotonic_now() < until);
    }
    lookouts.fetch_add(1, std::memory_order_relaxed);
    return bits;
}

uint32_t Parker::wait(uint64_t deadline, Watch* watch) noexcept
{
    if (const uint32_t bits = take())
        return bits;
    const uint64_t short_until = monotonic_now() + short_wait;
    uint32_t bits = 0;
    if (short_waits_)
        bits = look_out(std::min(short_until, deadline), watch);
    if (!bits) {
        bits = watch ? sleep_watching(deadline, *watch) : sleep(deadline);
        short_waits_ = bits && monotonic_now() < short_until;
    }
    return bits;
}

uint32_t Parker::sleep(uint64_t deadline) noexcept
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

uint32_t Parker::sleep_watching(uint64_t deadline, Watch& watch) noexcept
{
    wake_fd_.store(watch.wake_fd());
    for (;;) {
        uint32_t none = 0;
        bool found = false;
        if (word_.compare_exchange_strong(none, watching, std::memory_order_seq_cst))
            found = watch.poll(deadline);
        uint32_t bits = word_.exchange(0, std::memory_order_acquire) & ~watching;
        // Awake: what this posts needs no wake-up.
        if (found)
            watch.serve();
        bits |= take();
        if (bits || monotonic_now() >= deadline)
            return bits;
    }
}

}  // namespace lkl::posix
