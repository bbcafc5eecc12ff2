// SPDX-License-Identifier: GPL-2.0-only
// What lkl_mount_dev() has mounted.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string_view>

#include <lkl/kernel.hpp>
#include <lkl/mount.hpp>
#include <lkl/result.hpp>

namespace lkl::capi {

// Keeps each lkl::Mount until it is unmounted: it learns of writes that fail. A program
// may unmount by system calls as well, and mount again; what is kept then is of no mount any
// more, and only holds its disk open. Thread safe; the lock is not held while a mount is
// written back.
class KeptMounts {
    struct Entry {
        Mount mount;
        bool in_use = false;  // by one thread, without the lock
    };
    using Entries = std::list<Entry>;

public:
    using Deadline = std::chrono::steady_clock::time_point;

    struct GiveBack {
        KeptMounts* mounts = nullptr;
        Entries::iterator entry = {};
        void operator()(Mount* mount) const;
    };
    // A mount for one thread alone, to be unmounted. It is kept further if it was not.
    using Use = std::unique_ptr<Mount, GiveBack>;

    // Throws std::bad_alloc; the mount is unmounted then.
    void keep(Mount mount);
    // Waits while another thread uses it; EBUSY at the deadline. Null: the mount of this id
    // (lkl::mount_at()) is not kept.
    Result<Use> use(uint64_t id, Deadline deadline);
    // Whether what was mounted at this path is mounted still, shown there or not.
    bool holds(std::string_view path);
    // Lets go of what is no mount any more, and of its disk. What it has lost is told by
    // write_back(): the program's own umount2(2) has told nothing.
    void forget_unmounted();
    // The kernel is to be halted: writes all of them back, whatever the calling thread may and
    // can see. The error of a write that has failed since the mount, each time.
    Result<void> write_back(Kernel& kernel);
    // The kernel is halted: nothing is a mount any more, and all has been told.
    void forget_all();

private:
    std::mutex mutex_;
    std::condition_variable unused_;
    Entries mounts_;
    Result<void> lost_;  // the first that nobody was told of
};

}  // namespace lkl::capi
