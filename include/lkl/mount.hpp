// SPDX-License-Identifier: GPL-2.0-only
// lkl::Mount: a file system of a disk, mounted in a kernel.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <lkl/file.hpp>
#include <lkl/kernel.hpp>
#include <lkl/result.hpp>

namespace lkl {

// A partition of a disk, as the kernel found it.
struct Partition {
    unsigned number = 0;  // as in vda1; logical partitions of an MBR from 5 on
    uint64_t device = 0;  // device number in the form of DiskId::device
    uint64_t offset = 0;  // bytes from the start of the disk
    uint64_t size = 0;    // bytes
};

// The partitions of a disk in the order of their numbers; none when the disk
// has no partition table that the kernel knows. Mounts sysfs on /sys of the
// kernel if nobody has. Any thread. Errors: ENOENT (no such disk), and those of
// Mount::special().
Result<std::vector<Partition>> list_partitions(Kernel& kernel, DiskId disk);

struct MountOptions {
    std::string type = {};    // name of the file system in the kernel, "ext4"
    unsigned long flags = 0;  // LKL_MS_*
    std::string data = {};    // options of the file system, separated by commas
    unsigned partition = 0;   // number of the partition, 0: the whole disk

    // Adds options in the way of mount(8)'s -o: "ro,noatime,data=journal".
    // Words that every file system knows become flags, later ones overrule
    // earlier ones; the others are added to data.
    void add(std::string_view options);
};

// The kernel's number for the mount whose top the path is, which no other mount ever gets; it
// is the one that umount2(2) takes with these flags. 0: there is none, for the calling thread.
uint64_t mount_at(Kernel& kernel, const char* path, int flags = 0);

// A mounted file system. The Kernel object must stay where it is until the
// Mount is gone. Files that are open keep a file system mounted.
class Mount {
public:
    // How long the destructor waits for a busy file system.
    static constexpr std::chrono::milliseconds default_timeout{1000};

    // Mounts on a directory below /mnt that bears the device's number. Errors:
    // ENXIO (no such partition), ENODEV (file system type not in this kernel),
    // EBUSY (mounted already), and those of mount(2) for the type: EINVAL or
    // EUCLEAN (not such a file system, or a damaged one), EROFS (needs to write
    // on a disk that is read-only).
    static Result<Mount> disk(Kernel& kernel, DiskId disk, const MountOptions& options);

    // Mounts a file system that needs no disk ("proc", "sysfs", "tmpfs") on
    // `path`, which is made if needed. EBUSY: it is mounted there already.
    static Result<Mount> special(Kernel& kernel, const char* type, const char* path);

    Mount(Mount&& other) noexcept;
    Mount& operator=(Mount&& other) noexcept;
    // Unmounts; what is busy after default_timeout is detached, and unmounted
    // when its last file is closed.
    ~Mount();

    // Where it was mounted, for File::open(): "/mnt/0000fe00".
    const std::string& path() const { return made_.path; }
    // As of mount_at().
    uint64_t id() const { return made_.id; }

    // Writes everything back, unmounts and flushes the disk: what was written is on
    // stable storage then. Tries again while the file system is busy, up to
    // `timeout`; then EBUSY, and it stays mounted. Any other error is that of a
    // write that has failed since the mount, of a journal that has, or of the flush, or tells
    // that a write of the unmount itself has failed (or one beside it, from another partition
    // of the disk); the file system is unmounted all the same. `flags` are those of umount2(2),
    // whose errors are possible too: then it stays mounted. (MNT_EXPIRE never unmounts: a look is
    // use.) What somebody has mounted over it makes it busy, and so does chroot(2). `path` is
    // another one that shows it to the calling thread, in the place of path(); the directory that
    // is removed is path().
    Result<void> unmount(std::chrono::milliseconds timeout = default_timeout, int flags = 0,
                         const char* path = nullptr);

    // Writes everything back, also what other mounts hide, and flushes the disk; where it has
    // been unmounted by other means, the flush is left. Errors: those of unmount() but EBUSY,
    // which tells them again, and what keeps it from being looked at.
    Result<void> write_back();

    // Whether it is mounted still: nobody has unmounted it by other means. It is when that
    // cannot be found out.
    bool is_there() const;

    // Whether this object has no part in it any more, by unmount() or release().
    bool is_released() const { return kernel_ == nullptr; }

    // Leaves it mounted, for the rest of the kernel's life or for umount2(2).
    void release()
    {
        kernel_ = nullptr;
        device_ = {};
    }

private:
    // What stays as it is; the kernel knows it by this, wherever the calling thread is.
    struct Made {
        std::string path;
        std::string type;
        DiskId disk{};
        uint64_t device = 0;  // of a special file; 0: none
        uint64_t id = 0;      // 0: not known
        uint64_t name_space = 0;
    };

    // What an unmount has found out.
    struct Looked {
        bool at_all = false;
        bool wants_writes = true;
        uint64_t failed_writes = 0;  // until then
        Result<void> result;
    };

    Mount(Kernel& kernel, Made made, File device);
    void abandon();
    Result<File> open_hidden() const;
    bool wants_writes() const;
    Result<void> write_files(const File& root, bool wants_writes) const;
    Result<void> flush_disk() const;
    void note(Result<void> result);
    Result<void> note_files(Result<File> root, bool wants_writes);
    long try_unmount(const char* at, int flags, Looked& looked);

    Kernel* kernel_ = nullptr;
    Made made_;
    File device_;           // of the disk, unless it is mounted read-only
    Result<void> written_;  // the first that has failed: the kernel tells it once
};

}  // namespace lkl
