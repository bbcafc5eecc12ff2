// SPDX-License-Identifier: GPL-2.0-only
// Epolls that were put into epolls. One whose sockets are our kernel's is in our kernel's half
// of the other; before our kernel runs, and in a forked child, it is in the host's half.
#pragma once

#include <memory>
#include <vector>

namespace hijack::epolls {

struct Epoll;

namespace nested {

// Those in it. For any thread.
std::vector<std::shared_ptr<Epoll>> all(const Epoll& epoll);

// Our kernel has just started, and all epolls have a half there: those in this one go from the
// host's half to ours. The registry's mutex is held.
void kernel_started(Epoll& epoll);

// epoll_ctl(2), with `inner` as what its descriptor is.
long control(Epoll& epoll, const std::shared_ptr<Epoll>& inner, const long* args);

}  // namespace nested

}  // namespace hijack::epolls
