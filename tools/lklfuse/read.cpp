// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/read.hpp"

#include <algorithm>

#include <lkl/linux/fcntl.h>

#include "lklfuse/file_system.hpp"
#include "lklfuse/thread_buffer.hpp"

namespace tools::lklfuse {

namespace {

long read_all(Inner& inner, long file, std::byte* buffer, size_t size, off_t offset)
{
    size_t done = 0;
    while (done < size) {
        const long result = inner.call(__lkl__NR_pread64, file, buffer + done, size - done,
                                       offset + static_cast<off_t>(done));
        if (result < 0)
            return result;
        if (result == 0)
            break;
        done += static_cast<size_t>(result);
    }
    return static_cast<long>(done);
}

// Past the cache of the kernel inside go whole blocks alone; a read of the last part of
// a file says so by its length, not by an error.
size_t whole_blocks(size_t size)
{
    constexpr size_t block = 4096;
    return (size + block - 1) / block * block;
}

}  // namespace

ReadData read_file(FileSystem& fs, fuse_ino_t ino, long file, size_t size, off_t offset)
{
    std::byte* const buffer = thread_buffer(fs.inner());
    if (buffer == nullptr || size > most_read)
        return {nullptr, -LKL_ENOMEM};
    const size_t wanted = whole_blocks(size);
    long result = read_all(fs.inner(), file, buffer, wanted, offset);
    if (result == -LKL_EINVAL) {
        // It does not begin with a block.
        const InnerFile cached = fs.open(ino, LKL_O_RDONLY);
        result = cached ? read_all(fs.inner(), cached.get(), buffer, size, offset) : cached.error();
    }
    return {buffer, std::min(result, static_cast<long>(size))};
}

}  // namespace tools::lklfuse
