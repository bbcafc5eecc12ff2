// SPDX-License-Identifier: GPL-2.0-only
// Small files go to the host's kernel when they are opened, before it asks for them:
// most are read from beginning to end, and a request takes longer than their data.
#pragma once

#include <array>
#include <cstddef>
#include <mutex>

#include <fuse_lowlevel.h>

#include "lklfuse/nodes.hpp"

namespace tools::lklfuse {

class FileSystem;

// What is given must not be older than what the host's kernel has. So a file is given
// once at most, when it is opened for reading for the first time that it is opened at
// all, and never after it was opened for writing or truncated: then the host's kernel
// has nothing of it, and no request for its data is on its way that it would wait for.
// Opening and truncating a file exclude each other until the data is given. Any thread.
class Prefetch {
public:
    // Larger files are not given, in bytes.
    static constexpr size_t most = size_t{64} << 10;

    // To be held while the file is opened or truncated.
    std::unique_lock<std::mutex> hold(const Node& node);

    // While it is held: the file is going to change.
    static void refuse(Node& node) { node.given = true; }
    // While it is held: gives the file, open for reading, unless it was opened before.
    static void give(FileSystem& fs, fuse_ino_t ino, Node& node, long file);

private:
    std::array<std::mutex, 64> locks_;  // of many nodes each
};

}  // namespace tools::lklfuse
