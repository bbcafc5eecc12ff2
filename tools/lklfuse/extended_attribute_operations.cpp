// SPDX-License-Identifier: GPL-2.0-only
// Extended attributes, ACLs among them, which the file system inside keeps in step
// with the modes of files.
#include <memory>
#include <string_view>

#include <lkl/linux/stat.h>

#include "lklfuse/caller.hpp"
#include "lklfuse/operations.hpp"

namespace tools::lklfuse {

namespace {

// The answer of a call that fills a buffer, or says how large one has to be:
// call(path, buffer, size).
template <typename Call>
void reply_value(fuse_req_t request, fuse_ino_t ino, size_t size, Call call)
{
    const InnerFile path = file_system(request).reach(ino);
    if (!path)
        return reply_result(request, path.error());
    const auto value = std::make_unique<char[]>(size);
    const long result =
        call(file_system(request).inner(), DescriptorPath(path.get()).get(), value.get());
    if (result < 0)
        return reply_result(request, result);
    if (size == 0)
        fuse_reply_xattr(request, static_cast<size_t>(result));
    else
        fuse_reply_buf(request, value.get(), static_cast<size_t>(result));
}

void getxattr(fuse_req_t request, fuse_ino_t ino, const char* name, size_t size)
{
    reply_value(request, ino, size, [=](Inner& inner, const char* path, char* value) {
        return inner.call(__lkl__NR_getxattr, path, name, value, size);
    });
}

void listxattr(fuse_req_t request, fuse_ino_t ino, size_t size)
{
    reply_value(request, ino, size, [=](Inner& inner, const char* path, char* names) {
        return inner.call(__lkl__NR_listxattr, path, names, size);
    });
}

// A new ACL takes the set-group-ID bit from a file whose group the caller is not in,
// unless it is root.
bool loses_group_bit(fuse_req_t request, long path, std::string_view name)
{
    if (name != "system.posix_acl_access" || fuse_req_ctx(request)->uid == 0)
        return false;
    struct lkl_statx stat;
    const long result = file_system(request).inner().call(
        __lkl__NR_statx, path, "", LKL_AT_EMPTY_PATH, LKL_STATX_MODE | LKL_STATX_GID, &stat);
    return result == 0 && (stat.stx_mode & S_ISGID) != 0 && !caller_in_group(request, stat.stx_gid);
}

void setxattr(fuse_req_t request, fuse_ino_t ino, const char* name, const char* value, size_t size,
              int flags)
{
    FileSystem& fs = file_system(request);
    const InnerFile file = fs.reach(ino);
    if (!file)
        return reply_result(request, file.error());
    const DescriptorPath path(file.get());
    const auto set = [&] {
        return fs.inner().call(__lkl__NR_setxattr, path.get(), name, value, size, flags);
    };
    if (!loses_group_bit(request, file.get(), name))
        return reply_result(request, set());
    const WithoutFsetid without(fs.inner(), request);
    reply_result(request, set());
}

void removexattr(fuse_req_t request, fuse_ino_t ino, const char* name)
{
    FileSystem& fs = file_system(request);
    const InnerFile file = fs.reach(ino);
    if (!file)
        return reply_result(request, file.error());
    reply_result(request,
                 fs.inner().call(__lkl__NR_removexattr, DescriptorPath(file.get()).get(), name));
}

}  // namespace

void add_extended_attribute_operations(fuse_lowlevel_ops& table)
{
    table.getxattr = getxattr;
    table.setxattr = setxattr;
    table.listxattr = listxattr;
    table.removexattr = removexattr;
}

}  // namespace tools::lklfuse
