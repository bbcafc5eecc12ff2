// SPDX-License-Identifier: GPL-2.0-only
// Gets what the host's kernel has in its cache and not written yet.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include <fuse_lowlevel.h>

namespace tools::lklfuse {

// Whether the host's kernel, told that a file in its cache has changed, waits until all of
// it is written that is on its way already (Linux 6.16).
bool host_waits_for_writeback();

// Asks for the data of a file, which comes by requests to write; so no thread that serves
// those can wait for them, and a thread of its own does. Any thread.
class WriteBack {
public:
    explicit WriteBack(fuse_session* session);
    WriteBack(const WriteBack&) = delete;
    WriteBack& operator=(const WriteBack&) = delete;
    // Runs what was still to run.
    ~WriteBack();

    // Calls `then` after all that was written to the file before has come. What cannot be
    // written the host's kernel reports to who writes.
    void before(fuse_ino_t ino, std::function<void()> then);

private:
    struct Task {
        fuse_ino_t ino;
        std::function<void()> then;
    };

    void run();

    fuse_session* const session_;
    std::mutex lock_;
    std::condition_variable wake_;
    bool ending_ = false;
    std::deque<Task> tasks_;
    std::thread thread_;
};

}  // namespace tools::lklfuse
