// SPDX-License-Identifier: GPL-2.0-only
// epoll over descriptors of the host and of our kernel.
//
// Each epoll of the program is one of the host, under its own number, that holds the
// host's descriptors, and one of our kernel with ours, made when our kernel runs. A gate
// (gate.hpp) tells the second of what happens in the first. Threads wait in the host
// until our kernel has started, and in our kernel from then on.
#pragma once

namespace hijack::epolls {

// A number is closed. The caller is Inside, as for all here.
void forget(int number);

// A second number of the same epoll.
void share(int number, int second);

// Our kernel has just started: every epoll gets its second half, and threads that wait in
// the host are told. Numbers in the descriptor table change accordingly.
void kernel_started();

// Around fork(), and in its child, whose epolls share the host's with the parent's.
void forking();
void fork_made();
void forked();
// In the place of forking(), where that was not called before: in the child.
void forking_unseen();

// The epoll is about to be looked at as a descriptor, by poll(2): what has happened on the
// host's side shows on ours, and so does what happens from now on.
void refresh(int number);

// Something of our kernel was in it.
bool had_ours(int number);

// A descriptor of the host that is readable once our kernel has started. There is one if there
// was an epoll before.
int start_event();

// System calls, as hijack/calls/rules.hpp has them.
long create(const long* args);
long create1(const long* args);
long control(const long* args);
long wait(const long* args);
long pwait(const long* args);
long pwait2(const long* args);

}  // namespace hijack::epolls
