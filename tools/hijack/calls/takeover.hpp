// SPDX-License-Identifier: GPL-2.0-only
// Another program takes this one's place: exec. Our kernel is gone then without a word, and
// what it had told the program to be written has to be in the images. Other threads write until
// the host has ended them; so the images are frozen before: the kernel waits for who writes,
// writes all back, and holds off who comes later, until exec has failed or there is nobody left.
//
// Who waits there is waited for by nobody: the thread is in no call of our kernel when it
// freezes, and holds nothing that others need to end theirs, except what keeps our kernel
// from starting meanwhile. A handler of the program's may come until the very instruction, and
// may write: the images are thawed for it, and all begins anew when it has returned.
#pragma once

#include <mutex>

namespace hijack::takeover {

// Around exec. The caller is not Inside.
class Attempt {
public:
    Attempt();
    ~Attempt();
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;
};

// Around a handler of the program's, which need not return. True, and then resume() is to be
// called: it came in an Attempt.
bool interrupt();
void resume();

// Held while our kernel begins to be there for all threads: none of them is in an Attempt,
// which would not know of it.
std::mutex& mutex();

// Of lkl-end, when a signal ends the process (ending.hpp): they are not thawed any more, and who
// is about to start a program in this one's place waits until the process is gone.
void freeze_for_good();

// In a child of fork(): another thread of the parent may have been in one.
void forked();

}  // namespace hijack::takeover
