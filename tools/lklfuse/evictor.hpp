// SPDX-License-Identifier: GPL-2.0-only
// Keeps the number of pinned files in bounds, for file systems that give no handles.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include <fuse_lowlevel.h>

namespace tools::lklfuse {

// Asks the host's kernel to forget the names that it has known longest, when there are
// too many pins. It keeps those that are in use, and answers with requests to forget
// the others. Any thread.
class Evictor {
public:
    // pins: how many there are; limit: how many there should be at most.
    Evictor(fuse_session* session, std::function<size_t()> pins, size_t limit);
    Evictor(const Evictor&) = delete;
    Evictor& operator=(const Evictor&) = delete;
    ~Evictor();

    // The host's kernel knows this name now.
    void add(fuse_ino_t parent, const char* name);

private:
    struct Name {
        fuse_ino_t parent;
        std::string name;
    };

    void run();

    fuse_session* const session_;
    const std::function<size_t()> pins_;
    const size_t limit_;
    std::mutex lock_;
    std::condition_variable wake_;
    bool ending_ = false;
    std::deque<Name> names_;  // the oldest first
    std::thread thread_;      // the host's kernel may make it wait for a directory
                              // that a request is at work in
};

}  // namespace tools::lklfuse
