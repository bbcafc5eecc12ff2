// SPDX-License-Identifier: GPL-2.0-only
#include <lkl/mount.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <thread>
#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/asm/unistd.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/fs.h>
#include <lkl/linux/mount.h>
#include <lkl/linux/stat.h>

#include "file/error.hpp"

namespace lkl {

using file::call_error;

namespace {

// A flag of umount2(2) that is in no header of the user API.
constexpr int mnt_detach = 2;

// The mount that a path shows, 0: none.
uint64_t mount_id(Kernel& kernel, const char* path)
{
    Stat stat;
    const long result = kernel.syscall(__lkl__NR_statx, LKL_AT_FDCWD, path, LKL_AT_SYMLINK_NOFOLLOW,
                                       LKL_STATX_MNT_ID_UNIQUE, &stat);
    return result == 0 && (stat.stx_mask & LKL_STATX_MNT_ID_UNIQUE) != 0 ? stat.stx_mnt_id : 0;
}

// What takes no writes: the file system by itself, or this mount of it, as somebody wanted.
struct ReadOnly {
    bool file_system = false;
    bool mount = false;
};

ReadOnly read_only(Kernel& kernel, uint64_t mount)
{
    struct lkl_mnt_id_req request {};
    request.size = LKL_MNT_ID_REQ_SIZE_VER0;
    request.mnt_id = mount;
    request.param = LKL_STATMOUNT_SB_BASIC | LKL_STATMOUNT_MNT_BASIC;
    struct lkl_statmount status {};
    if (kernel.syscall(__lkl__NR_statmount, &request, &status, sizeof status, 0) != 0)
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
    Mount mount(&kernel, path, std::move(disk_device));
    // Of some types each is, however it is mounted.
    if (read_only(kernel, mount.id_).file_system)
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
    return Mount(&kernel, path, File());
}

Mount::Mount(Kernel* kernel, std::string path, File device)
    : kernel_(kernel),
      path_(std::move(path)),
      id_(mount_id(*kernel, path_.c_str())),
      device_(std::move(device))
{
}

Mount::Mount(Mount&& other) noexcept
    : kernel_(std::exchange(other.kernel_, nullptr)),
      path_(std::move(other.path_)),
      id_(other.id_),
      device_(std::move(other.device_)),
      written_(std::move(other.written_))
{
}

Mount& Mount::operator=(Mount&& other) noexcept
{
    if (this != &other) {
        abandon();
        kernel_ = std::exchange(other.kernel_, nullptr);
        path_ = std::move(other.path_);
        id_ = other.id_;
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
    if (!unmount(default_timeout) && kernel_ != nullptr)
        kernel_->syscall(__lkl__NR_umount2, path_.c_str(), mnt_detach);
    release();
}

// Data that cannot be written is told by syncfs(2) alone; a journal that could not be
// written, by freezing: ext4_sync_fs() returns 0 once the file system has shut itself down
// because a commit has failed, as it may have in the middle of the same syncfs(2), and all
// since the last commit is lost. Or the file system has made itself read-only, for which
// freezing has nothing to do.
Result<void> Mount::write_files() const
{
    auto root = File::open(*kernel_, path_.c_str(), LKL_O_RDONLY | LKL_O_DIRECTORY);
    if (!root)
        return std::move(root).error();
    if (const auto synced = root->sync_file_system(); !synced)
        return call_error(-synced.error().code, "write back", path_);
    const long frozen = kernel_->syscall(__lkl__NR_ioctl, root->descriptor(), LKL_FIFREEZE, 0);
    if (frozen == 0)
        kernel_->syscall(__lkl__NR_ioctl, root->descriptor(), LKL_FITHAW, 0);
    else if (frozen == -LKL_EIO || frozen == -LKL_EROFS || frozen == -LKL_ENOSPC)
        return call_error(frozen, "write back", path_);
    if (const ReadOnly now = read_only(*kernel_, id_); now.file_system && !now.mount)
        return call_error(-LKL_EROFS, "write back", path_);
    return {};
}

Result<void> Mount::flush_disk() const
{
    if (const auto flushed = device_.sync(); !flushed)
        return call_error(-flushed.error().code, "flush the disk of", path_);
    return {};
}

void Mount::note(Result<void> result)
{
    if (written_ && !result)
        written_ = std::move(result);
}

Result<void> Mount::write_back()
{
    if (kernel_ == nullptr)
        return call_error(-LKL_EINVAL, "write back", path_);
    if (device_.is_open()) {
        note(write_files());
        note(flush_disk());
    }
    return written_;
}

bool Mount::is_there() const
{
    return kernel_ != nullptr && id_ != 0 && mount_id(*kernel_, path_.c_str()) == id_;
}

Result<void> Mount::unmount(std::chrono::milliseconds timeout, int flags)
{
    using clock = std::chrono::steady_clock;
    if (kernel_ == nullptr)
        return call_error(-LKL_EINVAL, "unmount", path_);

    if (device_.is_open())
        note(write_files());
    const clock::time_point deadline = clock::now() + timeout;
    std::chrono::milliseconds pause{1};
    long result = 0;
    for (;;) {
        result = kernel_->syscall(__lkl__NR_umount2, path_.c_str(), flags);
        if (result != -LKL_EBUSY || clock::now() >= deadline)
            break;
        // Nothing tells when the last file is closed; ask again, less and less often.
        std::this_thread::sleep_for(pause);
        pause = std::min(pause * 2, std::chrono::milliseconds{50});
    }
    if (result < 0)
        return call_error(result, "unmount", path_);
    kernel_->syscall(__lkl__NR_unlinkat, LKL_AT_FDCWD, path_.c_str(), LKL_AT_REMOVEDIR);
    if (device_.is_open())
        note(flush_disk());
    release();
    return written_;
}

}  // namespace lkl
