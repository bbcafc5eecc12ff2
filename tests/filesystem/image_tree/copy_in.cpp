// SPDX-License-Identifier: GPL-2.0-only
#include "copy_in.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <common/descriptor.hpp>

#include <lkl/asm/errno.h>
#include <lkl/asm/unistd.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/time_types.h>

#include "inode_ioctl.hpp"

namespace image_tree {

namespace {

constexpr size_t buffer_size = size_t{1} << 20;
constexpr off_t large_size = 0xffffffff;

// The calls on extended attributes know no directory to start from.
std::string host_path(int directory, const char* name)
{
    return "/proc/self/fd/" + std::to_string(directory) + '/' + name;
}

// Numbers of devices have one form in glibc and another in the kernel.
unsigned kernel_device(dev_t device)
{
    return (minor(device) & 0xff) | major(device) << 8 | (minor(device) & ~0xffu) << 12;
}

}  // namespace

CopyIn::CopyIn(lkl::Kernel& kernel, const lkl::File& target, std::set<std::string> subvolumes,
               Report report)
    : kernel_(kernel),
      target_(target),
      subvolumes_(std::move(subvolumes)),
      report_(std::move(report)),
      buffer_(buffer_size)
{
}

void CopyIn::run(int source)
{
    struct stat status;
    if (fstat(source, &status) != 0) {
        fail(".", "stat", errno);
        return;
    }
    const Place top{source, target_, {}};
    copy_entries(top);
    set_attributes(top, ".", status);
}

void CopyIn::copy_entries(const Place& place)
{
    const int descriptor = openat(place.source, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* const directory = descriptor < 0 ? nullptr : fdopendir(descriptor);
    if (directory == nullptr) {
        fail(place.path, "read directory", errno);
        if (descriptor >= 0)
            close(descriptor);
        return;
    }
    for (;;) {
        errno = 0;
        const dirent* const entry = readdir(directory);
        if (entry == nullptr)
            break;
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..")
            copy_entry(place, entry->d_name);
    }
    if (errno != 0)
        fail(place.path, "read directory", errno);
    closedir(directory);
}

void CopyIn::copy_entry(const Place& place, const char* name)
{
    struct stat status;
    if (fstatat(place.source, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        fail(place.path + name, "stat", errno);
        return;
    }
    if (S_ISDIR(status.st_mode)) {
        copy_directory(place, name, status);
        return;
    }
    if (status.st_nlink > 1 && link_to_first(place, name, status))
        return;
    if (S_ISREG(status.st_mode))
        copy_file(place, name, status);
    else if (make_node(place, name, status))
        set_attributes(place, name, status);
}

void CopyIn::copy_directory(const Place& place, const char* name, const struct stat& status)
{
    const std::string path = place.path + name;
    const tools::Descriptor source(openat(place.source, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!source) {
        fail(path, "open", errno);
        return;
    }
    if (auto made = make_directory(place, name); !made) {
        fail(path, "create", made.error().code);
        return;
    }
    const auto target = place.target.open_at(name, LKL_O_RDONLY | LKL_O_DIRECTORY);
    if (!target) {
        fail(path, "open", target.error().code);
        return;
    }
    copy_entries({source.get(), *target, path + '/'});
    // Last: a default ACL would be inherited, and entries change the time.
    set_attributes(place, name, status);
}

lkl::Result<void> CopyIn::make_directory(const Place& place, const char* name)
{
    if (subvolumes_.contains(place.path + name))
        return make_subvolume(kernel_, place.target, name);
    return place.target.make_directory_at(name, 0700);
}

void CopyIn::copy_file(const Place& place, const char* name, const struct stat& status)
{
    const std::string path = place.path + name;
    const tools::Descriptor source(openat(place.source, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!source) {
        fail(path, "open", errno);
        return;
    }
    auto target = place.target.open_at(name, LKL_O_WRONLY | LKL_O_CREAT | LKL_O_EXCL, 0600);
    if (!target) {
        fail(path, "create", target.error().code);
        return;
    }
    copy_data(source.get(), *target, status, path);
    if (auto closed = target->close(); !closed)
        fail(path, "close", closed.error().code);
    set_attributes(place, name, status);
}

// What the source does not store, the target does not either.
bool CopyIn::copy_data(int source, const lkl::File& target, const struct stat& status,
                       const std::string& path)
{
    // A size that the type cannot hold is told before zeroes fill the image up to there.
    if (status.st_size > large_size) {
        if (auto sized = target.truncate(static_cast<uint64_t>(status.st_size)); !sized) {
            fail(path, "truncate", sized.error().code);
            return false;
        }
    }
    off_t offset = 0;
    while (offset < status.st_size) {
        const off_t start = lseek(source, offset, SEEK_DATA);
        if (start < 0 && errno == ENXIO)
            break;
        const off_t end = start < 0 ? -1 : lseek(source, start, SEEK_HOLE);
        if (end < 0) {
            fail(path, "seek", errno);
            return false;
        }
        for (offset = start; offset < end;) {
            const auto wanted = std::min<size_t>(buffer_.size(), static_cast<size_t>(end - offset));
            const ssize_t length = pread(source, buffer_.data(), wanted, offset);
            if (length < 0) {
                fail(path, "read", errno);
                return false;
            }
            if (length == 0)
                break;  // it has become shorter
            std::span<const std::byte> rest(buffer_.data(), static_cast<size_t>(length));
            while (!rest.empty()) {
                const auto written = target.write_at(rest, static_cast<uint64_t>(offset));
                if (!written) {
                    fail(path, "write", written.error().code);
                    return false;
                }
                rest = rest.subspan(*written);
                offset += static_cast<off_t>(*written);
            }
        }
        offset = std::max(offset, end);
    }
    if (auto sized = target.truncate(static_cast<uint64_t>(status.st_size)); !sized) {
        fail(path, "truncate", sized.error().code);
        return false;
    }
    return true;
}

// Anything but a directory and a regular file.
bool CopyIn::make_node(const Place& place, const char* name, const struct stat& status)
{
    const std::string path = place.path + name;
    const int directory = place.target.descriptor();
    if (!S_ISLNK(status.st_mode)) {
        return check(
            kernel_.syscall(__lkl__NR_mknodat, directory, name, (status.st_mode & S_IFMT) | 0600,
                            kernel_device(status.st_rdev)),
            path, "create");
    }
    std::string target(static_cast<size_t>(status.st_size) + 1, '\0');
    const ssize_t length = readlinkat(place.source, name, target.data(), target.size());
    if (length < 0) {
        fail(path, "read link", errno);
        return false;
    }
    target.resize(static_cast<size_t>(length));
    return check(kernel_.syscall(__lkl__NR_symlinkat, target.c_str(), directory, name), path,
                 "create");
}

// True: the file was copied under another name, and this is a link to it now.
// Where the file system knows no links, it is copied once more.
bool CopyIn::link_to_first(const Place& place, const char* name, const struct stat& status)
{
    const std::string path = place.path + name;
    const auto [first, is_new] = linked_.try_emplace({status.st_dev, status.st_ino}, path);
    return !is_new &&
           check(kernel_.syscall(__lkl__NR_linkat, target_.descriptor(), first->second.c_str(),
                                 place.target.descriptor(), name, 0),
                 path, "link");
}

void CopyIn::set_attributes(const Place& place, const char* name, const struct stat& status)
{
    const std::string path = place.path + name;
    const int directory = place.target.descriptor();
    // The owner first: a change of it takes set-user-ID bits and capabilities away.
    check(kernel_.syscall(__lkl__NR_fchownat, directory, name, status.st_uid, status.st_gid,
                          LKL_AT_SYMLINK_NOFOLLOW),
          path, "owner");
    if (!S_ISLNK(status.st_mode))
        check(kernel_.syscall(__lkl__NR_fchmodat, directory, name, status.st_mode & 07777), path,
              "mode");
    copy_extended(place, name, path);
    const std::array<struct ::__lkl__kernel_timespec, 2> times{
        {{status.st_atim.tv_sec, status.st_atim.tv_nsec},
         {status.st_mtim.tv_sec, status.st_mtim.tv_nsec}}};
    check(kernel_.syscall(__lkl__NR_utimensat, directory, name, times.data(),
                          LKL_AT_SYMLINK_NOFOLLOW),
          path, "time");
}

void CopyIn::copy_extended(const Place& place, const char* name, const std::string& path)
{
    const std::string source = host_path(place.source, name);
    auto* const buffer = reinterpret_cast<char*>(buffer_.data());
    const ssize_t length = llistxattr(source.c_str(), buffer, buffer_.size());
    if (length < 0) {
        if (errno != EOPNOTSUPP)
            fail(path, "list attributes", errno);
        return;
    }
    if (length == 0)
        return;
    const std::string names(buffer, static_cast<size_t>(length));
    if (auto moved = place.target.make_working_directory(); !moved) {
        fail(path, "change directory", moved.error().code);
        return;
    }
    for (size_t at = 0; at < names.size();) {
        const std::string attribute = names.c_str() + at;
        at += attribute.size() + 1;
        const ssize_t size =
            lgetxattr(source.c_str(), attribute.c_str(), buffer_.data(), buffer_.size());
        if (size < 0)
            fail(path, "attribute " + attribute, errno);
        else
            check(kernel_.syscall(__lkl__NR_lsetxattr, name, attribute.c_str(), buffer_.data(),
                                  size, 0),
                  path, ("attribute " + attribute).c_str());
    }
}

bool CopyIn::check(long result, const std::string& path, const char* operation)
{
    if (result >= 0)
        return true;
    fail(path, operation, static_cast<int>(-result));
    return false;
}

void CopyIn::fail(const std::string& path, const std::string& operation, int code)
{
    report_({path, operation, code});
}

}  // namespace image_tree
