// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/files/images.hpp"

#include <cerrno>
#include <cstring>
#include <sstream>
#include <utility>
#include <vector>

#include <sys/mount.h>
#include <unistd.h>

#include <lkl/asm/unistd.h>
#include <lkl/disk.hpp>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/mount.h>
#include <lkl/mount.hpp>

#include "hijack/network/proc.hpp"
#include "hijack/preload/message.hpp"
#include "hijack/preload/stack.hpp"

namespace hijack::images {

namespace {

using lkl::Kernel;
using lkl::Result;

// Types that need a disk, one a line, in the order in which the kernel knows them.
std::vector<std::string> disk_types(Kernel& kernel)
{
    std::istringstream lines(network::read_file(kernel, "/proc/filesystems"));
    std::vector<std::string> types;
    for (std::string line; std::getline(lines, line);)
        if (!line.starts_with("nodev"))
            types.push_back(line.substr(line.find_first_not_of('\t')));
    return types;
}

Result<lkl::Mount> mount_as(Kernel& kernel, lkl::DiskId disk, const std::string& type,
                            bool read_only)
{
    lkl::MountOptions options;
    options.type = type;
    options.flags = read_only ? LKL_MS_RDONLY : 0;
    return lkl::Mount::disk(kernel, disk, options);
}

// As mount(8) does it without a type: the first one that takes it.
Result<lkl::Mount> mount_any(Kernel& kernel, lkl::DiskId disk, bool read_only)
{
    for (const std::string& type : disk_types(kernel)) {
        auto mount = mount_as(kernel, disk, type, read_only);
        if (mount)
            return mount;
        const int code = mount.error().code;
        // Who can read alone, as ufs, says so of every disk, and before it looks.
        const bool is_other = code == EINVAL || code == ENODEV ||
                              (code == EROFS && !mount_as(kernel, disk, type, true));
        if (!is_other)
            return mount;
    }
    return lkl::Error{EINVAL, "no file system that is known"};
}

struct Mounted {
    std::string image;
    std::string point;
    lkl::Mount mount;
};

// Until the process ends, and beyond what ends before it.
std::vector<Mounted>& mounted()
{
    static auto* const made = new std::vector<Mounted>;
    return *made;
}

Result<void> mount_one(Kernel& kernel, const std::string& image, const std::string& point)
{
    const bool read_only = ::access(image.c_str(), W_OK) != 0;
    lkl::FileDiskOptions options;
    options.read_only = read_only;
    auto file = lkl::open_file_disk(image, options);
    if (!file)
        return file.error();
    const auto disk = kernel.add_disk(*std::move(file));
    if (!disk)
        return disk.error();
    auto mount = mount_any(kernel, *disk, read_only);
    if (!mount)
        return lkl::Error{mount.error().code, image + ": " + mount.error().what};
    kernel.syscall(__lkl__NR_mkdirat, LKL_AT_FDCWD, point.c_str(), 0755);
    const long bound = kernel.syscall(__lkl__NR_mount, mount->path().c_str(), point.c_str(),
                                      nullptr, LKL_MS_BIND, nullptr);
    if (bound < 0)
        return lkl::Error{static_cast<int>(-bound),
                          image + ": " + std::strerror(static_cast<int>(-bound))};
    mounted().push_back({image, point, *std::move(mount)});
    return {};
}

void tell_lost(const Mounted& one, const lkl::Error& error)
{
    message(one.image + ": not all that was written is in the image: " + error.what);
}

// Again where it fails: what a disk had to complain about before is told once and forgotten,
// and F2FS refuses when somebody came in between.
void freeze(const Mounted& one)
{
    constexpr int tries = 5;
    long result = -1;
    for (int i = 0; i < tries && result < 0; i++)
        result = stack::call(__lkl__NR_lkl_freeze, one.point.c_str(), 1);
    const bool is_gone = result == -ESHUTDOWN || result == -ENETDOWN;  // told elsewhere
    if (result < 0 && !is_gone)
        message(one.image + ": cannot be frozen: " + std::strerror(static_cast<int>(-result)) +
                ": what other threads write from now on may be lost");
}

}  // namespace

std::string directory_of(const std::string& setting)
{
    std::string directory = setting.substr(setting.rfind(':') + 1);
    while (directory.size() > 1 && directory.ends_with('/'))
        directory.pop_back();
    return directory;
}

std::string mount_point(size_t number)
{
    return "/image" + std::to_string(number);
}

Result<void> mount_all(Kernel& kernel, const Configuration& configuration)
{
    for (size_t i = 0; i < configuration.images.size(); i++) {
        const std::string& setting = configuration.images[i];
        if (auto mounted = mount_one(kernel, setting.substr(0, setting.rfind(':')), mount_point(i));
            !mounted)
            return mounted;
    }
    return {};
}

void freeze_all()
{
    for (const Mounted& one : mounted())
        freeze(one);
}

void thaw_all()
{
    for (const Mounted& one : mounted())
        stack::call(__lkl__NR_lkl_freeze, one.point.c_str(), 0);
}

bool write_back_all()
{
    bool all_written = true;
    for (Mounted& one : mounted()) {
        const auto written = one.mount.write_back();
        if (!written)
            tell_lost(one, written.error());
        all_written = all_written && written;
    }
    return all_written;
}

bool unmount_all(Kernel& kernel)
{
    bool all_written = true;
    for (Mounted& one : mounted()) {
        kernel.syscall(__lkl__NR_umount2, one.point.c_str(), MNT_DETACH);
        auto ended = one.mount.unmount();
        if (!ended && ended.error().code == EBUSY)
            ended = one.mount.write_back();
        if (ended)
            continue;
        all_written = false;
        tell_lost(one, ended.error());
    }
    return all_written;
}

}  // namespace hijack::images
