// SPDX-License-Identifier: GPL-2.0-only
#include "common/sandbox/devices.hpp"

#include <charconv>
#include <climits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/descriptor.hpp"

namespace tools {

namespace {

struct OpenDirectory {
    int descriptor;
    std::string path;
    struct stat status;
};

// Those of the process. None: it cannot be known.
std::optional<std::vector<OpenDirectory>> open_directories()
{
    struct Close {
        void operator()(DIR* directory) const { closedir(directory); }
    };
    const std::unique_ptr<DIR, Close> list(opendir("/proc/self/fd"));
    if (!list)
        return std::nullopt;
    std::vector<OpenDirectory> found;
    while (const dirent* const entry = readdir(list.get())) {
        const std::string name = entry->d_name;
        OpenDirectory open{-1, std::string(PATH_MAX, '\0'), {}};
        (void)std::from_chars(name.data(), name.data() + name.size(), open.descriptor);
        if (open.descriptor < 0 || open.descriptor == dirfd(list.get()) ||
            fstat(open.descriptor, &open.status) != 0 || !S_ISDIR(open.status.st_mode))
            continue;
        const ssize_t length =
            readlinkat(dirfd(list.get()), name.c_str(), open.path.data(), open.path.size());
        open.path.resize(length < 0 ? 0 : static_cast<size_t>(length));
        found.push_back(std::move(open));
    }
    return found;
}

// Puts the same directory in the place of the open one, by way of the namespace's mounts.
bool reopen(const OpenDirectory& old)
{
    const int flags = fcntl(old.descriptor, F_GETFL) & (O_PATH | O_NOATIME);
    const Descriptor fresh(open(old.path.c_str(), flags | O_DIRECTORY | O_CLOEXEC));
    struct stat status;
    struct statvfs mount;
    // The name may be another's by now, or be led out of the namespace by /proc.
    return fresh && fstat(fresh.get(), &status) == 0 && status.st_dev == old.status.st_dev &&
           status.st_ino == old.status.st_ino && fstatvfs(fresh.get(), &mount) == 0 &&
           (mount.f_flag & ST_NODEV) != 0 &&
           dup3(fresh.get(), old.descriptor, O_CLOEXEC) == old.descriptor;
}

// The working directory goes along into a new namespace, unless it is in none.
bool has_working_directory()
{
    std::string path(PATH_MAX, '\0');
    return getcwd(path.data(), path.size()) != nullptr;
}

}  // namespace

bool refuse_devices()
{
    // While their paths are seen from the root directory that they have been opened from.
    const auto directories = open_directories();
    if (!directories || unshare(CLONE_NEWNS) != 0)
        return false;
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_NODEV;
    attributes.propagation = MS_SLAVE;
    if (syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &attributes, sizeof attributes) !=
        0)
        return false;
    for (const OpenDirectory& directory : *directories) {
        if (!reopen(directory))
            return false;
    }
    return has_working_directory();
}

}  // namespace tools
