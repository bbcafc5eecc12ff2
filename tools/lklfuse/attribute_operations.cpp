// SPDX-License-Identifier: GPL-2.0-only
// What stat(2) shows and chmod(2), chown(2), truncate(2), utimensat(2) change.
#include <array>

#include <sys/statvfs.h>

#include <lkl/asm/statfs.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/time_types.h>

#include "lklfuse/operations.hpp"

namespace tools::lklfuse {

namespace {

// Of stat(2) for utimensat(2), in no header of the user API.
constexpr long time_now = (1L << 30) - 1;
constexpr long time_omit = (1L << 30) - 2;

void reply_attributes(fuse_req_t request, long file)
{
    FileSystem& fs = file_system(request);
    struct lkl_statx stat;
    const long result =
        fs.inner().call(__lkl__NR_statx, file, "", LKL_AT_EMPTY_PATH, LKL_STATX_BASIC_STATS, &stat);
    if (result < 0)
        return reply_result(request, result);
    struct stat attributes;
    fs.convert(stat, attributes);
    fuse_reply_attr(request, &attributes, forever);
}

// stat(2) comes without a file; with one that is open for writing, a write does.
bool is_before_write(Inner& inner, const fuse_file_info* file)
{
    return file != nullptr && (inner.call(__lkl__NR_fcntl, descriptor_of(*file), LKL_F_GETFL, 0) &
                               LKL_O_ACCMODE) != LKL_O_RDONLY;
}

void getattr(fuse_req_t request, fuse_ino_t ino, fuse_file_info* file)
{
    FileSystem& fs = file_system(request);
    if (ino != FUSE_ROOT_ID && fs.node(ino).lost != 0 && is_before_write(fs.inner(), file))
        return reply_result(request, fs.node(ino).lost.exchange(0));
    const InnerFile path = fs.reach(ino);
    if (!path)
        return reply_result(request, path.error());
    reply_attributes(request, path.get());
}

long set_owner(Inner& inner, long path, const struct stat& wanted, int which)
{
    const uid_t uid = (which & FUSE_SET_ATTR_UID) != 0 ? wanted.st_uid : static_cast<uid_t>(-1);
    const gid_t gid = (which & FUSE_SET_ATTR_GID) != 0 ? wanted.st_gid : static_cast<gid_t>(-1);
    return inner.call(__lkl__NR_fchownat, path, "", uid, gid, LKL_AT_EMPTY_PATH);
}

long set_size(FileSystem& fs, fuse_ino_t ino, off_t size, const fuse_file_info* file)
{
    Node& node = fs.node(ino);
    const auto held = fs.prefetch().hold(node);
    Prefetch::refuse(node);
    if (file != nullptr)
        return fs.inner().call(__lkl__NR_ftruncate, descriptor_of(*file), size);
    const InnerFile opened = fs.open(ino, LKL_O_WRONLY);
    if (!opened)
        return opened.error();
    return fs.inner().call(__lkl__NR_ftruncate, opened.get(), size);
}

struct __lkl__kernel_timespec time_of(const timespec& time, int which, int set, int now)
{
    struct __lkl__kernel_timespec result {};
    if ((which & now) != 0)
        result.tv_nsec = time_now;
    else if ((which & set) != 0)
        result = {time.tv_sec, time.tv_nsec};
    else
        result.tv_nsec = time_omit;
    return result;
}

long set_times(Inner& inner, long path, const struct stat& wanted, int which)
{
    const std::array<struct __lkl__kernel_timespec, 2> times{
        time_of(wanted.st_atim, which, FUSE_SET_ATTR_ATIME, FUSE_SET_ATTR_ATIME_NOW),
        time_of(wanted.st_mtim, which, FUSE_SET_ATTR_MTIME, FUSE_SET_ATTR_MTIME_NOW)};
    return inner.call(__lkl__NR_utimensat, path, "", times.data(), LKL_AT_EMPTY_PATH);
}

// The owner before the mode, since a new owner takes set-ID bits away, which the
// host's kernel has thought of; times last, since a new size changes them.
long change(FileSystem& fs, fuse_ino_t ino, long path, const struct stat& wanted, int which,
            const fuse_file_info* file)
{
    constexpr int owner = FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID;
    constexpr int times = FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME |
                          FUSE_SET_ATTR_MTIME_NOW;
    long result = 0;
    if ((which & owner) != 0)
        result = set_owner(fs.inner(), path, wanted, which);
    if (result == 0 && (which & FUSE_SET_ATTR_MODE) != 0)
        result = fs.inner().call(__lkl__NR_fchmodat2, path, "", wanted.st_mode & 07777,
                                 LKL_AT_EMPTY_PATH);
    if (result == 0 && (which & FUSE_SET_ATTR_SIZE) != 0)
        result = set_size(fs, ino, wanted.st_size, file);
    if (result == 0 && (which & times) != 0) {
        result = set_times(fs.inner(), path, wanted, which);
        // What is immutable or append-only by now, and open still, is written to: the host's
        // kernel tells the times later, with the file or a size, which utimensat(2) never has.
        // Our kernel has set them by itself.
        if (result == -LKL_EPERM && (file || (which & FUSE_SET_ATTR_SIZE) != 0))
            result = 0;
    }
    return result;
}

void setattr(fuse_req_t request, fuse_ino_t ino, struct stat* wanted, int which,
             fuse_file_info* file)
{
    FileSystem& fs = file_system(request);
    const InnerFile path = fs.reach(ino);
    if (!path)
        return reply_result(request, path.error());
    fs.guard().count();
    const long result = change(fs, ino, path.get(), *wanted, which, file);
    if (result < 0)
        return reply_result(request, result);
    reply_attributes(request, path.get());
}

void statfs(fuse_req_t request, fuse_ino_t ino)
{
    FileSystem& fs = file_system(request);
    const InnerFile path = fs.reach(ino);
    if (!path)
        return reply_result(request, path.error());
    struct lkl_statfs from;
    const long result = fs.inner().call(__lkl__NR_fstatfs, path.get(), &from);
    if (result < 0)
        return reply_result(request, result);
    struct statvfs to {};
    to.f_bsize = static_cast<unsigned long>(from.f_bsize);
    to.f_frsize = static_cast<unsigned long>(from.f_frsize != 0 ? from.f_frsize : from.f_bsize);
    to.f_blocks = static_cast<fsblkcnt_t>(from.f_blocks);
    to.f_bfree = static_cast<fsblkcnt_t>(from.f_bfree);
    to.f_bavail = static_cast<fsblkcnt_t>(from.f_bavail);
    to.f_files = static_cast<fsfilcnt_t>(from.f_files);
    to.f_ffree = static_cast<fsfilcnt_t>(from.f_ffree);
    to.f_favail = to.f_ffree;
    to.f_namemax = static_cast<unsigned long>(from.f_namelen);
    fuse_reply_statfs(request, &to);
}

}  // namespace

void add_attribute_operations(fuse_lowlevel_ops& table)
{
    table.getattr = getattr;
    table.setattr = setattr;
    table.statfs = statfs;
}

}  // namespace tools::lklfuse
