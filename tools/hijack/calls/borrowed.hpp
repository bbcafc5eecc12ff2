// SPDX-License-Identifier: GPL-2.0-only
// A child on its parent's memory (CLONE_VM, as posix_spawn(3) makes it) has the parent's
// Thread and descriptor table, until it has become a program: what it closes must stay
// open in the parent, whose numbers it has only copies of.
#pragma once

#include "hijack/preload/thread.hpp"

namespace hijack::borrowed {

// The thread is about to make a child with these flags of clone(2).
void lend(unsigned long flags);

// By asking who we are, as long as there may be a child.
bool look();

inline bool is_borrower()
{
    return this_thread.lender != 0 && look();
}

// Calls that change what the parent has here; they are the host's for a borrower.
bool is_hosts(long number);

}  // namespace hijack::borrowed
