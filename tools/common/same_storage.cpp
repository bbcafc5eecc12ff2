// SPDX-License-Identifier: GPL-2.0-only
#include "common/same_storage.hpp"

#include <cstdint>
#include <cstdlib>
#include <memory>

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include "common/descriptor.hpp"

namespace tools {

namespace {

// Where sysfs has the device: a partition is below its disk. Empty: not known.
std::string sysfs_directory(dev_t device)
{
    const std::string link =
        "/sys/dev/block/" + std::to_string(major(device)) + ':' + std::to_string(minor(device));
    const std::unique_ptr<char, decltype(&std::free)> path(realpath(link.c_str(), nullptr),
                                                           &std::free);
    return path ? std::string(path.get()) + '/' : std::string();
}

bool same_device(dev_t one, dev_t other)
{
    if (one == other)
        return true;
    const std::string here = sysfs_directory(one);
    const std::string there = sysfs_directory(other);
    return !here.empty() && !there.empty() && (here.starts_with(there) || there.starts_with(here));
}

// Is it a loop device of that file, or a partition of one?
bool loops_to(const std::string& device, const struct stat& file)
{
    constexpr unsigned loop_major = 7;  // partitions have another
    struct stat status;
    const Descriptor loop(open(device.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!loop || fstat(loop.get(), &status) != 0 ||
        (major(status.st_rdev) != loop_major &&
         sysfs_directory(status.st_rdev).find("/virtual/block/loop") == std::string::npos))
        return false;
    loop_info64 info{};
    return ioctl(loop.get(), LOOP_GET_STATUS64, &info) == 0 && info.lo_device == file.st_dev &&
           info.lo_inode == file.st_ino;
}

}  // namespace

bool same_storage(const std::string& path, const struct stat& status, const std::string& other_path,
                  const struct stat& other_status)
{
    if (status.st_dev == other_status.st_dev && status.st_ino == other_status.st_ino)
        return true;
    const bool device = S_ISBLK(status.st_mode);
    const bool other_device = S_ISBLK(other_status.st_mode);
    if (device && other_device)
        return same_device(status.st_rdev, other_status.st_rdev);
    return (device && loops_to(path, other_status)) ||
           (other_device && loops_to(other_path, status));
}

}  // namespace tools
