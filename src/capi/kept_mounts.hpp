// SPDX-License-Identifier: GPL-2.0-only
// What lkl_mount_dev() has mounted.
#pragma once

#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

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
    // Gives it away, to be unmounted. None: what is at this path is not kept.
    std::optional<Mount> take(std::string_view path);
    // Lets go of what is no mount any more, and of its disk.
    void forget_unmounted();
    // The kernel is to be halted: writes all of them back, and leaves them mounted. The error
    // of a write that has failed since the mount.
    Result<void> finish();

private:
    std::mutex mutex_;
    std::vector<Mount> mounts_;
};

}  // namespace lkl::capi
