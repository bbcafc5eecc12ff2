// SPDX-License-Identifier: GPL-2.0-only
// What the library has of each epoll, for epoll.cpp and nested_epolls.cpp alone.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include <sys/epoll.h>

#include "hijack/preload/gate.hpp"

namespace hijack::epolls {

struct Epoll;

// An epoll that was put into another.
struct Inner {
    std::weak_ptr<Epoll> epoll;
    epoll_event event;  // the program's
};

struct Epoll {
    ~Epoll();

    // A number of our own, which stays when the program closes its.
    int host_fd = -1;
    int kernel_fd = -1;  // -1: our kernel does not run
    std::unique_ptr<Gate> gate;

    std::mutex mutex;
    // Of the host's descriptors in it; too many when some were closed. Written under the
    // mutex.
    std::atomic<int> host_members{0};
    // Something of our kernel was in it.
    std::atomic<bool> had_ours{false};
    // Threads in our kernel's epoll_pwait(). Under the mutex.
    int waiting = 0;
    // Others rely on the gate too: the epoll is in another or was given to poll(2). Stays true.
    std::atomic<bool> watched{false};
    // Our kernel's events are taken first the next time.
    std::atomic<bool> ours_first{false};
    // Threads in the host's epoll_wait(), from before our kernel has started.
    std::atomic<int> waiting_in_host{0};

    // By the numbers that they were put in with. Under the registry's mutex, of which a
    // forked child knows that nobody holds it.
    std::map<int, Inner> inners;
    std::atomic<bool> has_inners{false};
};

struct Registry {
    std::mutex mutex;
    std::map<int, std::shared_ptr<Epoll>> by_number;
    // Makes all threads look again that wait in an epoll of the host; -1: none was made.
    int start_event = -1;
};

Registry& registry();

// epoll_ctl(2) on a descriptor that is the host's alone.
long control_host(Epoll& epoll, const long* args);

}  // namespace hijack::epolls
