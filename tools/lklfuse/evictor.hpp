// SPDX-License-Identifier: GPL-2.0-only
// Keeps the number of pinned files in bounds, for file systems that give no handles.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <fuse_lowlevel.h>

namespace tools::lklfuse {

// Asks the host's kernel to forget the names of the nodes that were not looked up for the
// longest time, when there are too many pins. It keeps those that are in use, and answers
// with requests to forget the others. Any thread.
class Evictor {
public:
    // pins: how many there are; limit: how many there should be at most.
    Evictor(fuse_session* session, std::function<size_t()> pins, size_t limit);
    Evictor(const Evictor&) = delete;
    Evictor& operator=(const Evictor&) = delete;
    ~Evictor();

    // The host's kernel knows the node by this name now.
    void add(fuse_ino_t ino, fuse_ino_t parent, const char* name);
    // The node goes.
    void remove(fuse_ino_t ino);

private:
    struct Name {
        fuse_ino_t parent;
        std::string name;
    };

    struct Known {
        std::list<fuse_ino_t>::iterator place;
        std::vector<Name> names;  // hard links, and spellings in upper and lower case
    };

    void run();
    std::vector<Name> take_oldest();

    fuse_session* const session_;
    const std::function<size_t()> pins_;
    const size_t limit_;
    std::mutex lock_;
    std::condition_variable wake_;
    bool ending_ = false;
    std::list<fuse_ino_t> order_;  // the oldest first
    std::unordered_map<fuse_ino_t, Known> known_;
    std::thread thread_;  // the host's kernel may make it wait for a directory
                          // that a request is at work in
};

}  // namespace tools::lklfuse
