// SPDX-License-Identifier: GPL-2.0-only
// A large file goes through the kernel's page cache once, from its start to its end. What
// is behind is given back at once, so that the same little memory is used again and
// again: it is in the CPU's cache, and the host need not find more.
#pragma once

#include <cstdint>

#include <lkl/file.hpp>
#include <lkl/linux/fadvise.h>

namespace tools {

// For one file at a time, in the order of its data.
class DropBehind {
public:
    // The next one, or the same from its start.
    void restart() { last_ = 0; }

    // All below `end` bytes is done with. What is dirty is only sent to the disk; it goes
    // later, once it has been written.
    void passed(const lkl::File& file, uint64_t end)
    {
        if (end < last_ + step)
            return;
        const uint64_t start = last_ < in_writing ? 0 : last_ - in_writing;
        (void)file.advise(start, end - start, LKL_POSIX_FADV_DONTNEED);
        last_ = end;
    }

private:
    // Bytes.
    static constexpr uint64_t step = uint64_t{8} << 20;
    static constexpr uint64_t in_writing = 4 * step;

    uint64_t last_ = 0;
};

}  // namespace tools
