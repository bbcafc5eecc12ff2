// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/calls/takeover.hpp"

#include <algorithm>
#include <cstddef>
#include <new>

#include <lkl/asm/unistd.h>

#include "hijack/calls/borrowed.hpp"
#include "hijack/files/images.hpp"
#include "hijack/preload/ending.hpp"
#include "hijack/preload/fork_mark.hpp"
#include "hijack/preload/settings.hpp"
#include "hijack/preload/stack.hpp"

namespace hijack::takeover {

namespace {

// For so many handlers it begins anew. Where they come faster than images can be frozen it would
// never come to exec: then all is written back once more, and other threads may write.
constexpr int most_interruptions = 16;
thread_local int interruptions = 0;

// Under the mutex.
bool frozen = false;

alignas(std::mutex) std::byte mutex_room[sizeof(std::mutex)];

// A child has no kernel of its own to lose, and one on its parent's memory must leave the
// parent's alone.
bool is_needed()
{
    const Configuration* const configuration = settings::configuration();
    return configuration && !configuration->images.empty() && !stack::is_lost() &&
           !borrowed::is_borrower() && fork_mark::is_own_memory();
}

// Thawing does nothing to an image that is not frozen.
void set_frozen(bool wanted)
{
    if (wanted)
        images::freeze_all();
    else
        images::thaw_all();
    frozen = wanted;
}

// Also where the process ends meanwhile, which may wait for the images. The caller is Inside,
// as for hold().
void release()
{
    this_thread.taken_over = false;
    if (frozen)
        set_frozen(false);
    this_thread.holds--;
    mutex().unlock();
}

void hold()
{
    for (;;) {
        // Who ends the process was first: this does not return then.
        ending::stay_if_begun();
        mutex().lock();
        this_thread.holds++;
        if (stack::is_up()) {
            // Most of it while others may still write.
            if (interruptions == 0 || interruptions == most_interruptions)
                stack::call(__lkl__NR_sync);
            if (interruptions < most_interruptions)
                set_frozen(true);
        }
        this_thread.taken_over = true;
        if (!ending::has_begun())
            return;
        release();
    }
}

}  // namespace

std::mutex& mutex()
{
    static std::mutex* const made = new (mutex_room) std::mutex;
    return *made;
}

Attempt::Attempt()
{
    const Inside inside;
    interruptions = 0;
    if (is_needed())
        hold();
}

Attempt::~Attempt()
{
    const Inside inside;
    if (this_thread.taken_over)
        release();
}

bool interrupt()
{
    if (!this_thread.taken_over) [[likely]]
        return false;
    const Inside inside;
    release();
    return true;
}

void resume()
{
    const Inside inside;
    interruptions = std::min(interruptions + 1, most_interruptions + 1);
    // Not in a child that the handler has made.
    if (is_needed())
        hold();
}

void freeze_for_good()
{
    mutex().lock();
    if (stack::is_up())
        set_frozen(true);
}

void forked()
{
    new (mutex_room) std::mutex;
    frozen = false;
    this_thread.taken_over = false;
}

}  // namespace hijack::takeover
