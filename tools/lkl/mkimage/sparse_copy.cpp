// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/mkimage/sparse_copy.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include <unistd.h>

#include "common/report.hpp"

namespace tools::mkimage {

namespace {

[[noreturn]] void fail(const std::string& shown)
{
    throw ToolError(ExitCode::output, shown + ": cannot write it: " + std::strerror(errno), errno);
}

// By reading and writing, where the kernel has no better way.
size_t copy_some(int from, off_t position, int to, off_t target, size_t length)
{
    constexpr size_t buffer_size = 1 << 20;  // bytes
    static std::vector<char> buffer(buffer_size);
    const ssize_t count = pread(from, buffer.data(), std::min(length, buffer_size), position);
    if (count <= 0)
        return 0;
    const ssize_t written = pwrite(to, buffer.data(), static_cast<size_t>(count), target);
    return written < 0 ? 0 : static_cast<size_t>(written);
}

void copy_data(int from, off_t start, off_t end, int to, off_t target, const std::string& shown)
{
    while (start < end) {
        const auto length = static_cast<size_t>(end - start);
        loff_t in = start;
        loff_t out = target;
        ssize_t count = copy_file_range(from, &in, to, &out, length, 0);
        if (count <= 0) {
            if (errno == ENOSPC)
                fail(shown);
            count = static_cast<ssize_t>(copy_some(from, start, to, target, length));
        }
        if (count <= 0)
            fail(shown);
        start += count;
        target += count;
    }
}

}  // namespace

void copy_sparsely(int from, uint64_t size, int to, uint64_t offset, const std::string& shown)
{
    const auto end = static_cast<off_t>(size);
    off_t start = 0;
    while (start < end) {
        const off_t data = lseek(from, start, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            return;
        if (data < 0)
            fail(shown);
        const off_t hole = lseek(from, data, SEEK_HOLE);
        if (hole < 0)
            fail(shown);
        copy_data(from, data, std::min(hole, end), to, data + static_cast<off_t>(offset), shown);
        start = hole;
    }
}

}  // namespace tools::mkimage
