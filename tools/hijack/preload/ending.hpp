// SPDX-License-Identifier: GPL-2.0-only
// The end of the process: nothing that was said to be written is lost in it. There are two ways.
//
//     by itself    exit_group(2), which libc calls when it has written what stdio holds. What was
//                  sent gets on its way, images are unmounted, the kernel stops (stack.cpp).
//     by a signal  whose default action it is, with images. These are frozen, as for exec
//                  (calls/takeover.hpp), and stay it until the process is gone: all is in them,
//                  and nobody is told of more. The program does not see that there is a handler.
//
// Who is first is who counts; who comes later waits for him. A thread of its own ("lkl-end") does
// the work, as who asks for it may be a handler, in the middle of malloc() or of a call of our
// kernel. A signal is the end after 10 seconds, whatever hangs: a second thread ("lkl-limit"),
// which makes no call of our kernel, sees to that.
//
// A process that is forked, whose parent has the kernel, ends at once.
#pragma once

namespace hijack::ending {

// Starts the threads. Once, before our kernel is there for all. The caller is Inside. False: the
// host has no thread left.
bool start();

// As exit_group(2). If the program has ended well, and not all that it wrote is in an image, which
// was told, the exit code is 6.
[[noreturn]] void exit(long status);

// Its work alone, where exit_group(2) does not come to us.
void finish();

// The default action of a signal in a handler of it, whose context this is. Returns where the
// thread has to leave the library first, or for the host's default to follow.
void by_signal(int signal, void* context);

// The end has begun, whichever way.
bool has_begun();

// By a signal, that is.
bool is_by_signal();

// Once the end has begun, threads of the program stay here; unless others wait for what they hold.
void stay_if_begun();

// In a child of fork().
void forked();

}  // namespace hijack::ending
