// SPDX-License-Identifier: GPL-2.0-only
// The data of open files.
#include <cstddef>

#include <lkl/linux/fcntl.h>

#include "lklfuse/operations.hpp"
#include "lklfuse/read.hpp"

namespace tools::lklfuse {

namespace {

void read(fuse_req_t request, fuse_ino_t ino, size_t size, off_t offset, fuse_file_info* info)
{
    const ReadData data = read_file(file_system(request), ino, descriptor_of(*info), size, offset);
    if (data.result < 0)
        return reply_result(request, data.result);
    fuse_reply_buf(request, reinterpret_cast<const char*>(data.bytes),
                   static_cast<size_t>(data.result));
}

// The host's kernel tells of lost data when the file is closed or synced. Whoever just
// goes on writing should know before: it is made to ask for attributes at the next
// write, and getattr() answers with the error.
void remember_loss(FileSystem& fs, fuse_ino_t ino, long error)
{
    fs.node(ino).lost = static_cast<int>(error);
    fuse_lowlevel_notify_inval_inode(fs.session(), ino, -1, 0);
}

void write(fuse_req_t request, fuse_ino_t ino, const char* data, size_t size, off_t offset,
           fuse_file_info* info)
{
    FileSystem& fs = file_system(request);
    Inner& inner = fs.inner();
    fs.guard().count();
    size_t done = 0;
    while (done < size) {
        const long result = inner.call(__lkl__NR_pwrite64, descriptor_of(*info), data + done,
                                       size - done, offset + static_cast<off_t>(done));
        if (result < 0) {
            // For its page cache, the host's kernel would take a part for all.
            if (info->writepage != 0)
                remember_loss(fs, ino, result);
            if (done == 0 || info->writepage != 0)
                return reply_result(request, result);
            break;
        }
        done += static_cast<size_t>(result);
    }
    fuse_reply_write(request, done);
}

void fsync(fuse_req_t request, fuse_ino_t /*ino*/, int data_only, fuse_file_info* info)
{
    const long call = data_only != 0 ? __lkl__NR_fdatasync : __lkl__NR_fsync;
    reply_result(request, file_system(request).inner().call(call, descriptor_of(*info)));
}

void fallocate(fuse_req_t request, fuse_ino_t /*ino*/, int mode, off_t offset, off_t length,
               fuse_file_info* info)
{
    reply_result(request, file_system(request).inner().call(
                              __lkl__NR_fallocate, descriptor_of(*info), mode, offset, length));
}

void copy_file_range(fuse_req_t request, fuse_ino_t /*from*/, off_t from_offset,
                     fuse_file_info* from, fuse_ino_t /*to*/, off_t to_offset, fuse_file_info* to,
                     size_t length, int flags)
{
    const long result = file_system(request).inner().call(
        __lkl__NR_copy_file_range, descriptor_of(*from), &from_offset, descriptor_of(*to),
        &to_offset, length, flags);
    if (result < 0)
        return reply_result(request, result);
    fuse_reply_write(request, static_cast<size_t>(result));
}

void find_data(fuse_req_t request, long file, off_t offset, int whence)
{
    const long result = file_system(request).inner().call(__lkl__NR_lseek, file, offset, whence);
    if (result < 0)
        return reply_result(request, result);
    fuse_reply_lseek(request, result);
}

// Holes and data; other places the host's kernel finds itself. What it has not written yet
// would look like a hole: it is called for first.
void lseek(fuse_req_t request, fuse_ino_t ino, off_t offset, int whence, fuse_file_info* info)
{
    FileSystem& fs = file_system(request);
    const long file = descriptor_of(*info);
    if (fs.node(ino).writers == 0)
        return find_data(request, file, offset, whence);
    // Then the host's kernel does without holes from now on, in this mount.
    if (!host_waits_for_writeback())
        return reply_result(request, -LKL_ENOSYS);
    fs.write_back().before(ino, [=] { find_data(request, file, offset, whence); });
}

}  // namespace

void add_data_operations(fuse_lowlevel_ops& table)
{
    table.read = read;
    table.write = write;
    table.fsync = fsync;
    table.fallocate = fallocate;
    table.copy_file_range = copy_file_range;
    table.lseek = lseek;
}

}  // namespace tools::lklfuse
