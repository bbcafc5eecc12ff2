// SPDX-License-Identifier: GPL-2.0-only
#include <lkl/mount.hpp>

#include <array>
#include <cstdio>
#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/asm/unistd.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/fs.h>
#include <lkl/linux/mount.h>
#include <lkl/linux/stat.h>

#include "file/error.hpp"
#include "file/while_busy.hpp"

namespace lkl {

using file::call_error;

namespace {

// Flags of umount2(2) that are in no header of the user API.
constexpr int mnt_detach = 2;
constexpr int umount_nofollow = 8;
// A flag of statfs(2), in none either.
constexpr long st_rdonly = 1;

// What statmount(2) tells of a mount; its result.
long ask(Kernel& kernel, uint64_t mount, uint64_t name_space, uint64_t what,
         struct lkl_statmount& status)
{
    struct lkl_mnt_id_req request {};
    request.size = LKL_MNT_ID_REQ_SIZE_VER1;
    request.mnt_id = mount;
    request.param = what;
    request.mnt_ns_id = name_space;
    return kernel.syscall(__lkl__NR_statmount, &request, &status, sizeof status, 0);
}

// What takes no writes: the file system by itself, or this mount of it, as somebody wanted.
struct ReadOnly {
    bool file_system = false;
    bool mount = false;
};

ReadOnly read_only(Kernel& kernel, uint64_t mount, uint64_t name_space)
{
    struct lkl_statmount status {};
    constexpr uint64_t what = LKL_STATMOUNT_SB_BASIC | LKL_STATMOUNT_MNT_BASIC;
    if (ask(kernel, mount, name_space, what, status) != 0)
        return {};
    return {(status.sb_flags & LKL_MS_RDONLY) != 0, (status.mnt_attr & LKL_MOUNT_ATTR_RDONLY) != 0};
}

// mkdir -p. The kernel's root is a file system in memory, where only we write.
Result<void> make_directories(Kernel& kernel, std::string_view path)
{
    for (size_t end = 1; end != std::string_view::npos;) {
        end = path.find('/', end);
        const std::string prefix(path.substr(0, end));
        const long result = kernel.syscall(__lkl__NR_mkdirat, LKL_AT_FDCWD, prefix.c_str(), 0755);
        if (result < 0 && result != -LKL_EEXIST)
            return call_error(result, "make directory", prefix);
        if (end != std::string_view::npos)
            end++;
    }
    return {};
}

std::string device_path(const char* prefix, uint64_t device)
{
    std::array<char, 48> path;
    std::snprintf(path.data(), path.size(), "%s%08llx", prefix,
                  static_cast<unsigned long long>(device));
    return path.data();
}

Result<File> open_directory(Kernel& kernel, const char* path)
{
    return File::open(kernel, path, LKL_O_RDONLY | LKL_O_DIRECTORY);
}

// The device number of the disk, or of one of its partitions.
Result<uint64_t> find_device(Kernel& kernel, DiskId disk, unsigned number)
{
    if (number == 0)
        return disk.device;
    const auto partitions = list_partitions(kernel, disk);
    if (!partitions)
        return partitions.error();
    for (const Partition& partition : *partitions) {
        if (partition.number == number)
            return partition.device;
    }
    Error error;
    error.code = LKL_ENXIO;
    error.what = "partition " + std::to_string(number) + ": no such partition";
    return error;
}

// A block special file for mount(2), for as long as the call takes.
class DeviceNode {
public:
    DeviceNode(Kernel& kernel, uint64_t device)
        : kernel_(kernel), path_(device_path("/dev/lkl-", device))
    {
        result_ = kernel.syscall(__lkl__NR_mknodat, LKL_AT_FDCWD, path_.c_str(), LKL_S_IFBLK | 0600,
                                 device);
    }
    DeviceNode(const DeviceNode&) = delete;
    DeviceNode& operator=(const DeviceNode&) = delete;
    ~DeviceNode()
    {
        if (result_ == 0)
            kernel_.syscall(__lkl__NR_unlinkat, LKL_AT_FDCWD, path_.c_str(), 0);
    }
    // Another thread may have made the same one.
    bool exists() const { return result_ == 0 || result_ == -LKL_EEXIST; }
    Error error() const { return call_error(result_, "make device", path_); }
    const char* path() const { return path_.c_str(); }

private:
    Kernel& kernel_;
    std::string path_;
    long result_;
};

}  // namespace

uint64_t mount_at(Kernel& kernel, const char* path, int flags)
{
    const int follow = (flags & umount_nofollow) != 0 ? LKL_AT_SYMLINK_NOFOLLOW : 0;
    Stat stat;
    const long result =
        kernel.syscall(__lkl__NR_statx, LKL_AT_FDCWD, path, follow, LKL_STATX_MNT_ID_UNIQUE, &stat);
    const bool known = result == 0 && (stat.stx_mask & LKL_STATX_MNT_ID_UNIQUE) != 0;
    return known && (stat.stx_attributes & LKL_STATX_ATTR_MOUNT_ROOT) != 0 ? stat.stx_mnt_id : 0;
}

Result<Mount> Mount::disk(Kernel& kernel, DiskId disk, const MountOptions& options)
{
    const auto device = find_device(kernel, disk, options.partition);
    if (!device)
        return device.error();

    const std::string path = device_path("/mnt/", *device);
    if (auto made = make_directories(kernel, path); !made)
        return std::move(made).error();
    if (auto made = make_directories(kernel, "/dev"); !made)
        return std::move(made).error();
    const DeviceNode node(kernel, *device);
    if (!node.exists())
        return node.error();

    // Open from before the mount until after it, this learns of every write of
    // metadata that fails, those at the unmount as well, which reports none.
    File disk_device;
    if ((options.flags & LKL_MS_RDONLY) == 0) {
        auto opened = File::open(kernel, node.path(), LKL_O_RDONLY);
        if (!opened)
            return std::move(opened).error();
        disk_device = *std::move(opened);
    }
    const long result =
        kernel.syscall(__lkl__NR_mount, node.path(), path.c_str(), options.type.c_str(),
                       options.flags, options.data.empty() ? nullptr : options.data.c_str());
    if (result < 0) {
        if (result != -LKL_EBUSY)
            kernel.syscall(__lkl__NR_unlinkat, LKL_AT_FDCWD, path.c_str(), LKL_AT_REMOVEDIR);
        return call_error(result, "mount as", options.type);
    }
    Mount mount(kernel, {.path = path, .type = options.type, .disk = disk, .device = *device},
                std::move(disk_device));
    // Of some types each is, however it is mounted.
    if (read_only(kernel, mount.made_.id, mount.made_.name_space).file_system)
        mount.device_ = {};
    return mount;
}

Result<Mount> Mount::special(Kernel& kernel, const char* type, const char* path)
{
    if (auto made = make_directories(kernel, path); !made)
        return std::move(made).error();
    const long result = kernel.syscall(__lkl__NR_mount, type, path, type, 0, nullptr);
    if (result < 0)
        return call_error(result, std::string("mount ") + type + " on", path);
    return Mount(kernel, {.path = path, .type = type}, File());
}

Mount::Mount(Kernel& kernel, Made made, File device)
    : kernel_(&kernel), made_(std::move(made)), device_(std::move(device))
{
    made_.id = mount_at(kernel, made_.path.c_str());
    struct lkl_statmount status {};
    if (ask(kernel, made_.id, 0, LKL_STATMOUNT_MNT_NS_ID, status) == 0)
        made_.name_space = status.mnt_ns_id;
}

Mount::Mount(Mount&& other) noexcept
    : kernel_(std::exchange(other.kernel_, nullptr)),
      made_(std::move(other.made_)),
      device_(std::move(other.device_)),
      written_(std::move(other.written_))
{
}

Mount& Mount::operator=(Mount&& other) noexcept
{
    if (this != &other) {
        abandon();
        kernel_ = std::exchange(other.kernel_, nullptr);
        made_ = std::move(other.made_);
        device_ = std::move(other.device_);
        written_ = std::move(other.written_);
    }
    return *this;
}

Mount::~Mount()
{
    abandon();
}

void Mount::abandon()
{
    if (kernel_ == nullptr)
        return;
    // It is gone as well when what is told is a loss.
    if (!unmount(default_timeout) && !is_released() && mount_at(*kernel_, path().c_str()) == id())
        kernel_->syscall(__lkl__NR_umount2, path().c_str(), mnt_detach);
    release();
}

// The top of what its path does not show to this thread, by another mount of the same, which is
// gone from its place at once.
Result<File> Mount::open_hidden() const
{
    // In the directories of Mount::disk(); none are made in what is no root of ours.
    const std::string place = path() + "-again";
    const long made = kernel_->syscall(__lkl__NR_mkdirat, LKL_AT_FDCWD, place.c_str(), 0700);
    if (made < 0)
        return call_error(made, "make directory", place);
    const DeviceNode node(*kernel_, made_.device);
    // Of one file system all mounts agree in this.
    const unsigned long flags =
        read_only(*kernel_, id(), made_.name_space).file_system ? LKL_MS_RDONLY : 0;
    const long mounted = kernel_->syscall(__lkl__NR_mount, node.path(), place.c_str(),
                                          made_.type.c_str(), flags, nullptr);
    auto root = mounted == 0 ? open_directory(*kernel_, place.c_str())
                             : Result<File>(call_error(mounted, "look at", path()));
    if (mounted == 0)
        kernel_->syscall(__lkl__NR_umount2, place.c_str(), mnt_detach);
    kernel_->syscall(__lkl__NR_unlinkat, LKL_AT_FDCWD, place.c_str(), LKL_AT_REMOVEDIR);
    return root;
}

// Data that cannot be written is told by syncfs(2) alone; a journal that could not be
// written, by freezing: ext4_sync_fs() returns 0 once the file system has shut itself down
// because a commit has failed, as it may have in the middle of the same syncfs(2), and all
// since the last commit is lost. XFS that shuts itself down while it freezes is told by the next
// syncfs(2) in turn: xfs_log_cover() returns 0 then. Or the file system has made itself read-only,
// for which freezing has nothing to do.
Result<void> Mount::write_files(const File& root, bool wants_writes) const
{
    if (const auto synced = root.sync_file_system(); !synced)
        return call_error(-synced.error().code, "write back", path());
    const long frozen = kernel_->syscall(__lkl__NR_ioctl, root.descriptor(), LKL_FIFREEZE, 0);
    if (frozen == 0) {
        kernel_->syscall(__lkl__NR_ioctl, root.descriptor(), LKL_FITHAW, 0);
        if (const auto synced = root.sync_file_system(); !synced)
            return call_error(-synced.error().code, "write back", path());
    } else if (frozen == -LKL_EIO || frozen == -LKL_EROFS || frozen == -LKL_ENOSPC) {
        return call_error(frozen, "write back", path());
    }
    const auto now = root.stat_file_system();
    if (wants_writes && now && (now->f_flags & st_rdonly) != 0)
        return call_error(-LKL_EROFS, "write back", path());
    return {};
}

Result<void> Mount::flush_disk() const
{
    if (const auto flushed = device_.sync(); !flushed)
        return call_error(-flushed.error().code, "flush the disk of", path());
    return {};
}

void Mount::note(Result<void> result)
{
    if (written_ && !result)
        written_ = std::move(result);
}

// An error: it could not be looked at, which says nothing of what was written.
Result<void> Mount::note_files(Result<File> root, bool wants_writes)
{
    if (!root)
        return std::move(root).error();
    note(write_files(*root, wants_writes));
    return {};
}

// Nobody has made it read-only; whether the file system has done so is to be told.
bool Mount::wants_writes() const
{
    return !read_only(*kernel_, id(), made_.name_space).mount;
}

Result<void> Mount::write_back()
{
    if (kernel_ == nullptr)
        return call_error(-LKL_EINVAL, "write back", path());
    if (!device_.is_open())
        return written_;
    Result<void> looked;
    if (is_there()) {
        const char* const at = path().c_str();
        looked = note_files(
            mount_at(*kernel_, at) == id() ? open_directory(*kernel_, at) : open_hidden(),
            wants_writes());
    }
    note(flush_disk());
    return written_ ? looked : written_;
}

bool Mount::is_there() const
{
    if (kernel_ == nullptr)
        return false;
    struct lkl_statmount status {};
    // Any other error says that it cannot be looked at, by this thread or for want of memory.
    return id() != 0 &&
           ask(*kernel_, id(), made_.name_space, LKL_STATMOUNT_MNT_BASIC, status) != -LKL_ENOENT;
}

// One attempt. A file may be written to and closed until umount2(2) succeeds, and what that one
// writes back tells no error. So another mount of the same, in no place, holds the file system
// until it has been looked at, when nobody reaches it any more.
long Mount::try_unmount(const char* at, int flags, Looked& looked)
{
    const auto unmount = [&] { return kernel_->syscall(__lkl__NR_umount2, at, flags); };
    const auto look = [&](Result<File> root) {
        looked.result = note_files(std::move(root), looked.wants_writes);
        looked.failed_writes = kernel_->failed_writes(made_.disk);
        looked.at_all = true;
    };
    if (!device_.is_open())
        return unmount();
    looked.wants_writes = wants_writes();
    const int follow = (flags & umount_nofollow) != 0 ? LKL_AT_SYMLINK_NOFOLLOW : 0;
    const long made = kernel_->syscall(__lkl__NR_open_tree, LKL_AT_FDCWD, at,
                                       LKL_OPEN_TREE_CLONE | LKL_OPEN_TREE_CLOEXEC | follow);
    if (made < 0) {
        // There may be none of it (MS_UNBINDABLE): as late as can be, then.
        look(open_directory(*kernel_, at));
        return unmount();
    }
    const File again = File::adopt(*kernel_, static_cast<int>(made));
    const long result = unmount();
    // What stays mounted is written back as well, but not over and over.
    if (result == 0 || !looked.at_all)
        look(again.open_at(".", LKL_O_RDONLY | LKL_O_DIRECTORY));
    return result;
}

Result<void> Mount::unmount(std::chrono::milliseconds timeout, int flags, const char* path)
{
    if (kernel_ == nullptr)
        return call_error(-LKL_EINVAL, "unmount", made_.path);

    const char* const at = path != nullptr ? path : made_.path.c_str();
    Looked looked;
    const long result = file::while_busy(timeout, [&]() -> long {
        const uint64_t shown = mount_at(*kernel_, at, flags);
        // Of a root, Linux makes the file system read-only, and says that it is done.
        if (shown != 0 &&
            (shown != id() || ((flags & mnt_detach) == 0 && mount_at(*kernel_, "/") == id())))
            return -LKL_EBUSY;
        return try_unmount(at, flags, looked);
    });
    if (result < 0)
        return call_error(result, "unmount", made_.path);
    kernel_->syscall(__lkl__NR_unlinkat, LKL_AT_FDCWD, made_.path.c_str(), LKL_AT_REMOVEDIR);
    if (device_.is_open()) {
        note(flush_disk());
        // XFS's log is not written by way of the disk's pages, of which the flush would know.
        if (kernel_->failed_writes(made_.disk) != looked.failed_writes)
            note(call_error(-LKL_EIO, "write at the unmount of", made_.path));
    }
    release();
    return written_ ? looked.result : written_;
}

}  // namespace lkl
