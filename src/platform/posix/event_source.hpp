// SPDX-License-Identifier: GPL-2.0-only
// A descriptor of the host that is watched on behalf of a kernel.
#pragma once

#include <atomic>
#include <cstdint>

#include <poll.h>

namespace lkl::posix {

class EventSource {
public:
    // Who watches: looks at all events() anew. Any thread, with locks held.
    class Watcher {
    public:
        virtual void look_again() noexcept = 0;
        // Whether another thread than the caller, which carries the virtual CPU, will see
        // what is pending while the caller carries on.
        virtual bool takes_over() const noexcept = 0;
        // How often the kernel has been idle. The carrier.
        virtual uint64_t idle_times() const noexcept = 0;

    protected:
        ~Watcher() = default;
    };

    // Constant; -1 to be left out.
    virtual int poll_fd() const noexcept = 0;
    // What to wait for, as in poll(2); 0: nothing at present. Any thread.
    virtual short events() const noexcept { return POLLIN; }
    // ready() has something to do without an event. Any thread.
    virtual bool pending() const noexcept { return false; }
    // Called without the virtual CPU when an event has come, or an error of the
    // descriptor, or when it is pending. Any thread, also several at a time.
    virtual void ready() noexcept = 0;

    void set_watcher(Watcher* watcher) noexcept { watcher_.store(watcher); }

protected:
    ~EventSource() = default;

    // After events() or pending() has changed to more than it was.
    void events_changed() noexcept
    {
        if (Watcher* const watcher = watcher_.load())
            watcher->look_again();
    }
    Watcher* watcher() const noexcept { return watcher_.load(); }

private:
    std::atomic<Watcher*> watcher_{nullptr};
};

}  // namespace lkl::posix
