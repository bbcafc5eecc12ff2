// SPDX-License-Identifier: GPL-2.0-only
// What lkl_mount_dev() has mounted.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include <lkl/kernel.hpp>
#include <lkl/mount.hpp>
#include <lkl/result.hpp>

namespace lkl::capi {

// Keeps each lkl::Mount until it is unmounted: it learns of writes that fail. A program
// may unmount by system calls as well, and mount again; what is kept then is of no mount any
// more, and only holds its disk open. Thread safe; the lock is not held while a mount is
// written back.
class KeptMounts {
public:
    // Throws std::bad_alloc; the mount is unmounted then.
    void keep(Mount mount);
    // Gives it away, to be unmounted. None: the mount of this id (lkl::mount_at()) is not kept.
    std::optional<Mount> take(uint64_t id);
    // Whether what was mounted at this path is mounted still, shown there or not.
    bool holds(std::string_view path);
    // Lets go of what is no mount any more, and of its disk. What it has lost is told by
    // finish(): the program's own umount2(2) has told nothing.
    void forget_unmounted();
    // The kernel is to be halted: writes all of them back, and leaves them mounted, whatever
    // the calling thread may and can see. The error of a write that has failed since the mount.
    Result<void> finish(Kernel& kernel);

private:
    void let_go(std::vector<Mount> mounts);

    std::mutex mutex_;
    std::vector<Mount> mounts_;
    Result<void> lost_;  // the first that nobody was told of
};

}  // namespace lkl::capi
