// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/prefetch.hpp"

#include <lkl/linux/fcntl.h>
#include <lkl/linux/stat.h>

#include "lklfuse/file_system.hpp"
#include "lklfuse/read.hpp"

namespace tools::lklfuse {

std::unique_lock<std::mutex> Prefetch::hold(const Node& node)
{
    constexpr size_t node_size = 128;  // about
    return std::unique_lock(locks_[reinterpret_cast<size_t>(&node) / node_size % locks_.size()]);
}

void Prefetch::give(FileSystem& fs, fuse_ino_t ino, Node& node, long file)
{
    if (node.given)
        return;
    node.given = true;
    struct lkl_statx stat;
    if (fs.inner().call(__lkl__NR_statx, file, "", LKL_AT_EMPTY_PATH, LKL_STATX_SIZE, &stat) < 0 ||
        stat.stx_size == 0 || stat.stx_size > most)
        return;
    const ReadData data = read_file(fs, ino, file, stat.stx_size, 0);
    if (data.result <= 0)
        return;  // whoever reads it will be told
    fuse_bufvec buffers = FUSE_BUFVEC_INIT(static_cast<size_t>(data.result));
    buffers.buf[0].mem = data.bytes;
    // What is not taken is asked for.
    fuse_lowlevel_notify_store(fs.session(), ino, 0, &buffers, static_cast<fuse_buf_copy_flags>(0));
}

}  // namespace tools::lklfuse
