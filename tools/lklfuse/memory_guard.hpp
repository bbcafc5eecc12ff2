// SPDX-License-Identifier: GPL-2.0-only
// Keeps the kernel inside from running out of memory by what it has not written yet.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string_view>

#include "lklfuse/inner.hpp"

namespace tools::lklfuse {

// A file system may leave changed inodes in memory for half a minute before it writes
// them (XFS does, at 2 KiB each). They cannot be given up before that; and memory that
// is short makes the kernel give up what it can, not write. On a machine the time goes
// by while a disk is slow; here thousands of files are made in that time, and a
// kernel without memory and without a process to kill panics. So it is told to write
// when such memory grows. Any thread.
class MemoryGuard {
public:
    // root: a descriptor in the file system; memory: of the kernel, in bytes.
    MemoryGuard(Inner& inner, long root, uint64_t memory);

    // An inode is going to be changed. Writes everything back now and then.
    void count()
    {
        if (changes_.fetch_add(1, std::memory_order_relaxed) % interval == interval - 1)
            look();
    }

    // What the kernel has left, in bytes.
    uint64_t free_memory() { return statistic("MemFree:") << 10; }

private:
    static constexpr unsigned interval = 64;

    void look();
    uint64_t unreclaimable() { return statistic("SUnreclaim:"); }
    // Of /proc/meminfo, in KiB.
    uint64_t statistic(std::string_view label);

    Inner& inner_;
    const long root_;
    const InnerFile statistics_;
    const uint64_t limit_;  // KiB
    std::atomic<unsigned> changes_{0};
    std::mutex writing_;
};

}  // namespace tools::lklfuse
