// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/preload/ending.hpp"

#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdint>
#include <ctime>

#include <linux/futex.h>
#include <ucontext.h>

#include "hijack/calls/signal_mask.hpp"
#include "hijack/calls/takeover.hpp"
#include "hijack/files/images.hpp"
#include "hijack/preload/fork_mark.hpp"
#include "hijack/preload/helper_thread.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/message.hpp"
#include "hijack/preload/settings.hpp"
#include "hijack/preload/signals.hpp"
#include "hijack/preload/stack.hpp"
#include "hijack/preload/thread.hpp"

namespace hijack::ending {

namespace {

using Word = std::atomic<uint32_t>;

// running -> freezing -> frozen, or running -> finishing -> finished or lossy. The first step is
// whoever's who asks first, the second one lkl-end's. Words are waited for by futex, which looks
// whether they have changed; who changes one wakes all. So nobody sleeps through a step.
enum Stage : uint32_t { running, freezing, finishing, frozen, finished, lossy };
Word stage{running};

// The signal that ends the process, of the thread that was first; 0: none. With `itself`, that
// thread waits for the end of the work and then takes the signal: a core file shows it.
constexpr uint32_t itself = 0x100;
Word ended_by{0};

// What the first exit_group(2) was given.
constexpr int64_t no_status = INT64_MIN;
std::atomic<int64_t> first_status{no_status};

constexpr time_t limit_seconds = 10;

// Returns at any time; -ETIMEDOUT where that has come (CLOCK_MONOTONIC).
long wait(Word& word, uint32_t seen, const timespec* end = nullptr)
{
    return host::call(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, seen, end, nullptr,
                      FUTEX_BITSET_MATCH_ANY);
}

uint32_t wait_while(Word& word, uint32_t value)
{
    while (word.load() == value)
        wait(word, value);
    return word.load();
}

bool step(Word& word, uint32_t from, uint32_t to)
{
    if (!word.compare_exchange_strong(from, to))
        return false;
    host::call(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
    return true;
}

[[noreturn]] void stay()
{
    const uint64_t all = all_but_faults;
    host::call(SYS_rt_sigprocmask, SIG_BLOCK, &all, nullptr, sizeof all);
    for (;;)
        host::call(SYS_pause);
}

void work()
{
    if (wait_while(stage, running) == freezing) {
        takeover::freeze_for_good();
        if (stack::is_up())
            (void)images::write_back_all();
        step(stage, freezing, frozen);
    } else {
        step(stage, finishing, stack::halt() ? finished : lossy);
    }
    stay();
}

void keep_limit()
{
    const uint32_t asked = wait_while(ended_by, 0);
    timespec end{};
    host::call(SYS_clock_gettime, CLOCK_MONOTONIC, &end);
    end.tv_sec += limit_seconds;
    // Who takes the signal itself, or has ended the process before it, may be held up as well.
    const auto is_mine = [asked](uint32_t now) { return now == frozen && !(asked & itself); };
    for (uint32_t now = stage.load(); !is_mine(now); now = stage.load())
        if (wait(stage, now, &end) == -ETIMEDOUT)
            break;
    if (const uint32_t now = stage.load(); now == freezing || now == finishing)
        last_message(
            "not all that was written may be in the images: it takes longer than the 10 "
            "seconds that a signal waits for");
    const int signal = static_cast<int>(asked & ~itself);
    const uint64_t own = bit_of(signal);
    host::call(SYS_rt_sigprocmask, SIG_UNBLOCK, &own, nullptr, sizeof own);
    signals::take_default(signal);
    stay();
}

// Whether there is a kernel of this process. Not on the memory of another one, which goes on.
bool has_kernel()
{
    return (stack::is_up() || stack::is_ended()) && fork_mark::is_own_memory();
}

// Once this handler has returned. What it interrupts may have another mask for itself alone, as
// sigsuspend(2) does; the context has the one from before.
void die(int signal, ucontext_t& context)
{
    signals::take_default(signal);
    *reinterpret_cast<uint64_t*>(&context.uc_sigmask) &= ~bit_of(signal);
}

}  // namespace

bool start()
{
    const bool limited = !settings::configuration()->images.empty();
    return start_helper("lkl-end", work) && (!limited || start_helper("lkl-limit", keep_limit));
}

void finish()
{
    if (fork_mark::is_wiped())
        stack::forked_unseen();
    if (!has_kernel())
        return;
    const Inside inside;
    step(stage, running, finishing);
    uint32_t now = stage.load();
    // Where images are frozen, the signal ends the process.
    for (; now != finished && now != lossy; now = stage.load())
        wait(stage, now);
    // It may go on calling.
    this_thread.outlives = true;
}

void exit(long status)
{
    // As with cp(1) and its like, which look at close(2).
    constexpr long output_failed = 6, code_bits = 0xff;
    // Until the end: the handlers that wait do not run any more.
    const Inside inside;
    // The first one counts where several end the process at once.
    int64_t first = no_status;
    if (has_kernel() && !first_status.compare_exchange_strong(first, status))
        status = first;
    finish();
    if (stage.load() == lossy && (status & code_bits) == 0)
        status = output_failed;
    for (;;)
        host::call(SYS_exit_group, status);
}

void by_signal(int signal, void* argument)
{
    auto& context = *static_cast<ucontext_t*>(argument);
    if (this_thread.internal || !has_kernel())
        return die(signal, context);
    const bool can_stay = this_thread.depth == 0 || signals::is_raised_here(signal, context);
    const bool is_first =
        step(ended_by, 0, static_cast<uint32_t>(signal) | (can_stay ? itself : 0));
    step(stage, running, freezing);
    if (!can_stay) {
        // It goes on to stay_if_begun(), or its call takes longer than the process.
        this_thread.deferred = this_thread.deferred | bit_of(signal);
        return;
    }
    // Handlers that wait do not run any more.
    this_thread.deferred = 0;
    if (this_thread.depth == 0)
        takeover::interrupt();
    if (!is_first)
        stay();
    // Who ends it by himself was first: this does not return then.
    for (uint32_t now = stage.load(); now != frozen; now = stage.load())
        wait(stage, now);
    die(signal, context);
}

bool has_begun()
{
    return stage.load() != running;
}

bool is_by_signal()
{
    return ended_by.load() != 0;
}

void stay_if_begun()
{
    if (!has_begun() || this_thread.internal)
        return;
    takeover::interrupt();
    if (this_thread.holds == 0)
        stay();
}

void forked()
{
    stage.store(running);
    ended_by.store(0);
    first_status.store(no_status);
}

}  // namespace hijack::ending
