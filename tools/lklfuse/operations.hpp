// SPDX-License-Identifier: GPL-2.0-only
// The requests of the host's kernel. Each function below enters its own into the
// table; libfuse's fuse_lowlevel.h says what each has to do. They run on libfuse's
// threads, many at a time.
//
// Locks (flock(2), fcntl(2)) are not among them: without requests for them the host's
// kernel keeps them itself, which is all there is to do, since nobody else is in the
// image.
#pragma once

#include <fuse_lowlevel.h>

#include <lkl/linux/fcntl.h>

#include "lklfuse/file_system.hpp"

namespace tools::lklfuse {

void add_attribute_operations(fuse_lowlevel_ops& table);
void add_connection_operations(fuse_lowlevel_ops& table);
void add_data_operations(fuse_lowlevel_ops& table);
void add_directory_operations(fuse_lowlevel_ops& table);
void add_extended_attribute_operations(fuse_lowlevel_ops& table);
void add_ioctl_operations(fuse_lowlevel_ops& table);
void add_name_operations(fuse_lowlevel_ops& table);
void add_open_operations(fuse_lowlevel_ops& table);

// The flags to open a file with in the kernel inside, for those that a process gave.
int inner_flags(const FileSystem& fs, int flags);

inline FileSystem& file_system(fuse_req_t request)
{
    return *static_cast<FileSystem*>(fuse_req_userdata(request));
}

inline bool writes(const fuse_file_info& file)
{
    return (file.flags & LKL_O_ACCMODE) != LKL_O_RDONLY;
}

// Answers with the result of a call that returns nothing else.
inline void reply_result(fuse_req_t request, long result)
{
    fuse_reply_err(request, result < 0 ? static_cast<int>(-result) : 0);
}

// Descriptors of the kernel inside, as libfuse keeps them.
inline long descriptor_of(const fuse_file_info& file)
{
    return static_cast<long>(file.fh);
}

}  // namespace tools::lklfuse
