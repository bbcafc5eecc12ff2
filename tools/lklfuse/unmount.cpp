// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/unmount.hpp"

#include <array>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mount.h>
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

void write_host_cache(const std::string& mount_point)
{
    const Descriptor top(open(mount_point.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (top)
        syncfs(top.get());
    else
        sync();  // for lack of permission to open it
}

bool unmount_on_host(const std::string& mount_point, bool lazy)
{
    if (geteuid() != 0)
        return run_fusermount(mount_point, lazy);
    return umount2(mount_point.c_str(), UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) == 0;
}

}  // namespace tools::lklfuse
