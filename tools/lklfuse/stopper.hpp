// SPDX-License-Identifier: GPL-2.0-only
// Unmounting because of a signal.
#pragma once

#include <atomic>
#include <string>
#include <thread>

#include <fuse_lowlevel.h>
#include <pthread.h>

#include "lklfuse/mounter.hpp"

namespace tools::lklfuse {

// Blocks SIGINT, SIGTERM and SIGHUP in the calling thread and those that it will make.
void block_signals();

// Waits for one of them, and then ends the session. What processes have written is in
// the host's cache at first, and comes as requests: they are served until the file
// system is unmounted, or, where it is in use, for as long as there is something to
// write. A mount that somebody else took away, or hid under another one, is not touched:
// only the session ends. To be made and destroyed by the thread that serves.
class Stopper {
public:
    // All live longer.
    Stopper(fuse_session* session, Mounter& mounter, const std::string& mount_point);
    Stopper(const Stopper&) = delete;
    Stopper& operator=(const Stopper&) = delete;
    ~Stopper();

private:
    void wait();
    void end_session();
    bool ends_by_itself() const;
    void interrupt_loop();

    fuse_session* const session_;
    Mounter& mounter_;
    const std::string& mount_point_;  // for messages
    const pthread_t server_;
    std::atomic<bool> ended_{false};
    std::thread thread_;
};

}  // namespace tools::lklfuse
