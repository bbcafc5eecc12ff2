// SPDX-License-Identifier: GPL-2.0-only
// Opening and closing of files.
#include <lkl/linux/fcntl.h>

#include "lklfuse/operations.hpp"

namespace tools::lklfuse {

int inner_flags(const FileSystem& fs, int flags)
{
    // What is not here the host's kernel sees to: it asks to create, to append at a
    // place that it knows, and to sync.
    int inner = flags & (LKL_O_ACCMODE | LKL_O_TRUNC | LKL_O_NOATIME);
    // What is read goes to the host's cache, and is not needed in another one.
    if ((flags & LKL_O_ACCMODE) == LKL_O_RDONLY && fs.reads_directly())
        inner |= LKL_O_DIRECT;
    // To write a part of a page, its cache reads the rest.
    if ((flags & LKL_O_ACCMODE) == LKL_O_WRONLY && !fs.read_only())
        inner = (inner & ~LKL_O_ACCMODE) | LKL_O_RDWR;
    return inner;
}

namespace {

// The descriptor, or a negative errno. What it takes to serve it is put into `info`.
long open_file(FileSystem& fs, fuse_ino_t ino, fuse_file_info* info)
{
    const int flags = inner_flags(fs, info->flags);
    long file = fs.open(ino, flags).release();
    if (file == -LKL_EPERM && (info->flags & LKL_O_APPEND) != 0) {
        // The file may only be appended to (chattr +a): write what comes where it
        // comes, not pages of which parts are there already.
        file = fs.open(ino, flags | LKL_O_APPEND).release();
        info->direct_io = 1;
    }
    return file;
}

void open(fuse_req_t request, fuse_ino_t ino, fuse_file_info* info)
{
    FileSystem& fs = file_system(request);
    Node& node = fs.node(ino);
    auto held = fs.prefetch().hold(node);
    const bool changes = (info->flags & (LKL_O_ACCMODE | LKL_O_TRUNC)) != LKL_O_RDONLY;
    if (changes)
        Prefetch::refuse(node);
    const long file = open_file(fs, ino, info);
    if (file < 0)
        return reply_result(request, file);
    if (!changes)
        Prefetch::give(fs, ino, node, file);
    held.unlock();
    info->fh = static_cast<uint64_t>(file);
    info->keep_cache = 1;
    node.writers += writes(*info);
    if (fuse_reply_open(request, info) >= 0)
        return;
    node.writers -= writes(*info);
    fs.inner().call(__lkl__NR_close, file);
}

void release(fuse_req_t request, fuse_ino_t ino, fuse_file_info* info)
{
    file_system(request).node(ino).writers -= writes(*info);
    reply_result(request, file_system(request).inner().call(__lkl__NR_close, descriptor_of(*info)));
}

}  // namespace

void add_open_operations(fuse_lowlevel_ops& table)
{
    table.open = open;
    table.release = release;
}

}  // namespace tools::lklfuse
