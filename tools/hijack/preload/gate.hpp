// SPDX-License-Identifier: GPL-2.0-only
// Readiness of descriptors of the host, for a thread that waits in our kernel.
//
// A gate joins an epoll of the host with an eventfd of our kernel. Armed, it makes the
// eventfd readable once the epoll has something to report, and is disarmed by that. A
// thread that waits for both sides puts the eventfd among what it waits for in our kernel;
// it goes to the host only when there is something. So a server whose sockets are ours
// waits at the price of a call of our kernel, and nobody polls.
//
// Proof that no event of the host is lost. The waiting thread does, in this order,
//
//     W1  epoll_wait(host epoll, timeout 0): nothing
//     W2  arm():  EPOLL_CTL_MOD of the host epoll in the watcher's epoll, ONESHOT
//     W3  waits in our kernel, for the eventfd as well
//
// An event before W1 is found by W1. One after W1 and before W2: EPOLL_CTL_MOD looks
// whether the host epoll is readable, and reports it to the watcher at once. One after W2
// wakes the watcher by itself. The watcher then writes the eventfd, which stays readable
// until the waiter has drained it: W3 returns, whether the write came before or after it
// began. That the epoll inside is edge-triggered for some descriptors changes nothing: an
// epoll is readable as long as events wait in it, and only W1 takes them out.
//
// Armed twice is armed once. Several threads may wait behind one gate: who takes the
// events calls arm() again if others still wait (epoll.cpp), so that the gate is armed or
// the eventfd is readable whenever somebody is in W3.
//
// Who looks without waiting cannot wait for the watcher to run: settle() does what the watcher
// would, and then makes the eventfd say whether the host epoll is readable. Where it is not, the
// eventfd is drained, and W2 is done: somebody in W3 loses nothing.
//
// An epoll in another one, or in poll(2), is looked at by who does not take its events. Its gate
// follows edges: it goes on watching, and each event of the host is one of the eventfd, as somebody
// may wait for edges of the epoll itself.
#pragma once

#include <atomic>
#include <cstdint>

namespace hijack {

class Gate {
public:
    // host_epoll stays the caller's and must stay open until the gate is gone. The caller
    // of all functions is Inside.
    explicit Gate(int host_epoll);
    ~Gate();
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;

    // 0 or negative errno: no descriptor was left.
    int error() const { return error_; }
    // The eventfd, a descriptor of our kernel.
    int kernel_event() const { return kernel_event_; }

    void arm();
    bool armed() const { return armed_.load(std::memory_order_acquire); }
    // After the eventfd was seen readable.
    void drain() const;
    // The eventfd is readable if the host epoll is, and else the gate is armed.
    void settle();
    // From here on.
    void follow_edges();

private:
    friend class Watcher;
    const int host_epoll_;
    int kernel_event_ = -1;
    int error_ = 0;
    uint64_t id_ = 0;
    // Both are written under the watcher's mutex.
    bool edges_ = false;
    std::atomic<bool> armed_{false};  // and has not fired since
};

}  // namespace hijack
