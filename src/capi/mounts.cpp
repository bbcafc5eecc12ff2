// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>

#include <lkl.h>
#include <lkl/mount.hpp>

#include "capi/default_kernel.hpp"
#include "capi/disks.hpp"
#include "capi/errors.hpp"
#include "capi/guarded.hpp"
#include "capi/kept_mounts.hpp"
#include "file/error.hpp"
#include "file/while_busy.hpp"

using namespace lkl::capi;
using lkl::Kernel;
using lkl::Mount;
using lkl::MountOptions;

namespace {

// A flag of umount2(2), in no header of the user API.
constexpr int mnt_expire = 4;

// mount(2) does not tell: it puts a second proc over the first one.
bool is_mount_point(const char* path)
{
    struct lkl_statx status;
    return lkl_sys_statx(LKL_AT_FDCWD, path, LKL_AT_SYMLINK_NOFOLLOW, 0, &status) == 0 &&
           (status.stx_attributes & LKL_STATX_ATTR_MOUNT_ROOT) != 0;
}

using std::chrono::milliseconds;

// As a time that can be added to any other.
milliseconds as_timeout(long timeout_ms)
{
    constexpr milliseconds for_ever = std::chrono::hours{24 * 365 * 100};
    return timeout_ms < 0 ? for_ever : std::min(milliseconds{timeout_ms}, for_ever);
}

// What lkl_mount_dev() has mounted. Null: it did not mount what is there.
std::optional<long> unmount_kept(Kernel& kernel, const char* path, int flags, milliseconds timeout)
{
    // The first call with this flag marks the mount, and the second one unmounts it unless it
    // was used in between, as a look at it does.
    if ((flags & mnt_expire) != 0)
        return std::nullopt;
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    const uint64_t id = lkl::mount_at(kernel, path, flags);
    if (id == 0)
        return std::nullopt;
    auto mount = state().mounts.use(id, deadline);
    if (!mount)
        return fail(mount.error());
    if (!*mount)
        return std::nullopt;
    const auto left = deadline - std::chrono::steady_clock::now();
    const auto result = (*mount)->unmount(std::chrono::ceil<milliseconds>(left), flags, path);
    mount->reset();
    // By somebody else meanwhile: a halt is to tell what is lost.
    state().mounts.forget_unmounted();
    return result ? 0 : fail(result.error());
}

long unmount_any(Kernel& kernel, const char* path, int flags, milliseconds timeout)
{
    const long result = lkl::file::while_busy(
        timeout, [&] { return kernel.syscall(__lkl__NR_umount2, path, flags); });
    if (result < 0)
        return fail(lkl::file::call_error(result, "unmount", path));
    state().mounts.forget_unmounted();
    return 0;
}

}  // namespace

extern "C" {

long lkl_mount_dev(unsigned int disk_id, unsigned int part, const char* fs_type, int flags,
                   const char* opts, char* mnt_str, unsigned int mnt_str_len)
{
    return guarded(__func__, {fs_type, mnt_str}, [&]() -> long {
        const auto kernel = running_kernel();
        if (!kernel)
            return fail(kernel.error());
        const auto disk = find_disk(disk_id);
        if (!disk)
            return fail(disk.error());

        // Or what an earlier mount of the disk has lost would be told of this one.
        state().mounts.forget_unmounted();
        MountOptions options;
        options.type = fs_type;
        options.flags = static_cast<unsigned>(flags);
        options.data = opts != nullptr ? opts : "";
        options.partition = part;
        auto mount = Mount::disk(**kernel, *disk, options);
        if (!mount)
            return fail(mount.error());
        const std::string& path = mount->path();
        // The destructor unmounts.
        if (path.size() >= mnt_str_len)
            return fail(LKL_ENOMEM, "mount: no room for the path " + path);
        std::memcpy(mnt_str, path.c_str(), path.size() + 1);
        state().mounts.keep(*std::move(mount));
        return 0;
    });
}

long lkl_umount_timeout(const char* path, int flags, long timeout_ms)
{
    return guarded(__func__, {path}, [&]() -> long {
        const auto kernel = running_kernel();
        if (!kernel)
            return fail(kernel.error());
        if (const auto result = unmount_kept(**kernel, path, flags, as_timeout(timeout_ms)))
            return *result;
        return unmount_any(**kernel, path, flags, as_timeout(timeout_ms));
    });
}

long lkl_umount_dev(unsigned int disk_id, unsigned int part, int flags, long timeout_ms)
{
    return guarded(__func__, {}, [&]() -> long {
        const auto kernel = running_kernel();
        if (!kernel)
            return fail(kernel.error());
        const auto device = find_device(**kernel, disk_id, part);
        if (!device)
            return fail(device.error());
        // Where lkl::Mount::disk() mounts it.
        std::array<char, 32> path;
        std::snprintf(path.data(), path.size(), "/mnt/%08llx",
                      static_cast<unsigned long long>(*device));
        if (const auto result = unmount_kept(**kernel, path.data(), flags, as_timeout(timeout_ms)))
            return *result;
        if ((flags & mnt_expire) == 0 && state().mounts.holds(path.data()))
            return fail(LKL_EBUSY, std::string("unmount ") + path.data() +
                                       ": it is mounted, and that path shows something else");
        const long result = unmount_any(**kernel, path.data(), flags, as_timeout(timeout_ms));
        if (result == 0)
            lkl_sys_rmdir(path.data());
        return result;
    });
}

int lkl_mount_fs(const char* fstype)
{
    return guarded(__func__, {fstype}, [&] {
        const auto kernel = running_kernel();
        if (!kernel)
            return fail(kernel.error());
        const std::string path = std::string("/") + fstype;
        static std::mutex mutex;  // two threads that look and mount
        const std::lock_guard lock(mutex);
        if (is_mount_point(path.c_str()))
            return 1;
        auto mount = Mount::special(**kernel, fstype, path.c_str());
        if (!mount)
            return fail(mount.error());
        mount->release();
        return 0;
    });
}

}  // extern "C"
