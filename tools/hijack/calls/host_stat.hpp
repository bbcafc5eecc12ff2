// SPDX-License-Identifier: GPL-2.0-only
// struct stat of x86-64, which the program knows, from the generic one of our kernel.
#pragma once

#include <sys/stat.h>

#include <lkl/asm/stat.h>

namespace hijack {

inline struct stat host_stat(const lkl_stat& from)
{
    struct stat to {};
    to.st_dev = from.st_dev;
    to.st_ino = from.st_ino;
    to.st_mode = from.st_mode;
    to.st_nlink = from.st_nlink;
    to.st_uid = from.st_uid;
    to.st_gid = from.st_gid;
    to.st_rdev = from.st_rdev;
    to.st_size = from.st_size;
    to.st_blksize = from.st_blksize;
    to.st_blocks = from.st_blocks;
    to.st_atim = {from.lkl_st_atime, static_cast<long>(from.st_atime_nsec)};
    to.st_mtim = {from.lkl_st_mtime, static_cast<long>(from.st_mtime_nsec)};
    to.st_ctim = {from.lkl_st_ctime, static_cast<long>(from.st_ctime_nsec)};
    return to;
}

}  // namespace hijack
