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

    // Where it is, for File::open(): "/mnt/0000fe00".
    const std::string& path() const { return path_; }

    // Writes everything back, unmounts and flushes the disk: what was written is on
    // stable storage then. Tries again while the file system is busy, up to
    // `timeout`; then EBUSY, and it stays mounted. Any other error is that of a
    // write that has failed since the mount, of a journal that has, or of the flush; the
    // file system is unmounted all the same. `flags` are those of umount2(2), whose errors
    // are possible too: then it stays mounted.
    Result<void> unmount(std::chrono::milliseconds timeout = default_timeout, int flags = 0);

    // Writes everything back and flushes the disk. Errors: those of unmount() but EBUSY, which
    // tells them again.
    Result<void> write_back();

    // Whether it is what its path shows: nobody has unmounted it by other means, or mounted
    // something over it.
    bool is_there() const;

    // Leaves it mounted, for the rest of the kernel's life or for umount2(2).
    void release()
    {
        kernel_ = nullptr;
        device_ = {};
    }

private:
    Mount(Kernel* kernel, std::string path, File device);
    void abandon();
    Result<void> write_files() const;
    Result<void> flush_disk() const;
    void note(Result<void> result);

    Kernel* kernel_ = nullptr;
    std::string path_;
    uint64_t id_ = 0;       // the kernel's for the mount, never used twice; 0: not known
    File device_;           // of the disk, unless it is mounted read-only
    Result<void> written_;  // the first that has failed: the kernel tells it once
};

}  // namespace lkl
