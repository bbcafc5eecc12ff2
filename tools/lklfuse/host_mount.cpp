// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/host_mount.hpp"

#include <array>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/descriptor.hpp"

namespace tools::lklfuse {

namespace {

bool run_fusermount(const std::string& mount_point, bool lazy)
{
    // posix_spawnp() takes strings that could be changed, and does not change them.
    std::array<char*, 7> arguments{const_cast<char*>("fusermount3"), const_cast<char*>("-u"),
                                   const_cast<char*>("-q")};
    size_t count = 3;
    if (lazy)
        arguments[count++] = const_cast<char*>("-z");
    arguments[count++] = const_cast<char*>("--");
    arguments[count++] = const_cast<char*>(mount_point.c_str());
    pid_t child = 0;
    if (posix_spawnp(&child, "fusermount3", nullptr, nullptr, arguments.data(), environ) != 0)
        return false;
    int status = 0;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

HostMount::HostMount(std::string path) : path_(std::move(path)), identity_(top_of(path_)) {}

// No request is sent for it: nobody may be there to answer.
HostMount::Identity HostMount::top_of(const std::string& path)
{
    struct statx stat {};
    if (statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
              STATX_MNT_ID, &stat) != 0)
        return {};
    return {stat.stx_dev_major, stat.stx_dev_minor, stat.stx_mnt_id};
}

void HostMount::write_cache() const
{
    const Descriptor top(
        top_of(path_) == identity_ ? open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1);
    if (top)
        syncfs(top.get());
    else
        sync();  // it cannot be opened, for lack of permission or because it is hidden
}

Unmounted HostMount::unmount(bool lazy) const
{
    if (top_of(path_) != identity_)
        return Unmounted::not_on_top;
    const bool done = geteuid() != 0
                          ? run_fusermount(path_, lazy)
                          : umount2(path_.c_str(), UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) == 0;
    return done ? Unmounted::yes : Unmounted::in_use;
}

}  // namespace tools::lklfuse
