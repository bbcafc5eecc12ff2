// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/host_file.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <lkl/linux/fs.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/tree/identity.hpp"

namespace tools {

static_assert(O_DIRECTORY == LKL_O_DIRECTORY && O_NOFOLLOW == LKL_O_NOFOLLOW &&
              O_CREAT == LKL_O_CREAT && O_EXCL == LKL_O_EXCL && O_NONBLOCK == LKL_O_NONBLOCK &&
              O_WRONLY == LKL_O_WRONLY && O_TRUNC == LKL_O_TRUNC);
static_assert(SEEK_DATA == LKL_SEEK_DATA && SEEK_HOLE == LKL_SEEK_HOLE);
static_assert(AT_SYMLINK_NOFOLLOW == LKL_AT_SYMLINK_NOFOLLOW && AT_REMOVEDIR == LKL_AT_REMOVEDIR);
static_assert(sizeof(struct statx) == sizeof(lkl::Stat));
static_assert(sizeof(struct timespec) == sizeof(lkl::FileTimes::value_type));

namespace {

// The wording of lkl::File's errors.
lkl::Error call_error(std::string_view operation, std::string_view object = {})
{
    lkl::Error error;
    error.code = errno;
    error.what = operation;
    if (!object.empty())
        (error.what += ' ') += object;
    (error.what += ": ") += std::generic_category().message(error.code);
    return error;
}

lkl::Result<void> void_result(long result, std::string_view operation, std::string_view object = {})
{
    if (result < 0)
        return call_error(operation, object);
    return {};
}

lkl::Result<size_t> size_result(ssize_t result, std::string_view operation,
                                std::string_view object = {})
{
    if (result < 0)
        return call_error(operation, object);
    return static_cast<size_t>(result);
}

lkl::Stat to_stat(const struct statx& status)
{
    lkl::Stat result;
    std::memcpy(&result, &status, sizeof(result));
    return result;
}

std::array<struct timespec, 2> host_times(const lkl::FileTimes& times)
{
    return {{{times[0].tv_sec, times[0].tv_nsec}, {times[1].tv_sec, times[1].tv_nsec}}};
}

// A path for the calls that know no descriptor: the directory's is followed, the
// name is not.
std::string path_of(int directory, const char* name)
{
    return "/proc/self/fd/" + std::to_string(directory) + '/' + name;
}

}  // namespace

std::optional<Identity> host_identity(int descriptor)
{
    struct statx status;
    if (statx(descriptor, "", AT_EMPTY_PATH, identity_mask, &status) != 0)
        return std::nullopt;
    return identity_of(to_stat(status));
}

lkl::Result<HostFile> HostFile::open(const char* path, int flags, unsigned mode)
{
    const int result = ::open(path, flags | O_CLOEXEC, mode);
    if (result < 0)
        return call_error("open", path);
    return HostFile(result);
}

lkl::Result<void> HostFile::close()
{
    return void_result(file_.close(), "close");
}

lkl::Result<void> HostFile::write_back() const
{
    return void_result(close_copy(descriptor()), "write back");
}

lkl::Result<size_t> HostFile::read_at(std::span<std::byte> buffer, uint64_t offset) const
{
    return size_result(
        pread(descriptor(), buffer.data(), buffer.size(), static_cast<off_t>(offset)), "read");
}

lkl::Result<size_t> HostFile::write_at(std::span<const std::byte> data, uint64_t offset) const
{
    return size_result(pwrite(descriptor(), data.data(), data.size(), static_cast<off_t>(offset)),
                       "write");
}

lkl::Result<uint64_t> HostFile::seek(int64_t offset, int whence) const
{
    return size_result(lseek(descriptor(), offset, whence), "seek");
}

lkl::Result<void> HostFile::advise(uint64_t offset, uint64_t length, int advice) const
{
    errno =
        posix_fadvise(descriptor(), static_cast<off_t>(offset), static_cast<off_t>(length), advice);
    return void_result(errno == 0 ? 0 : -1, "advise");
}

lkl::Result<void> HostFile::truncate(uint64_t size) const
{
    return void_result(ftruncate(descriptor(), static_cast<off_t>(size)), "truncate");
}

lkl::Result<void> HostFile::set_owner(uint32_t uid, uint32_t gid) const
{
    return void_result(fchown(descriptor(), uid, gid), "set owner");
}

lkl::Result<void> HostFile::set_mode(unsigned mode) const
{
    return void_result(fchmod(descriptor(), mode), "set mode");
}

lkl::Result<void> HostFile::set_times(const lkl::FileTimes& times) const
{
    return void_result(futimens(descriptor(), host_times(times).data()), "set times");
}

lkl::Result<lkl::Stat> HostFile::stat(unsigned mask) const
{
    return stat_at("", mask, AT_EMPTY_PATH);
}

lkl::Result<lkl::FileSystemStat> HostFile::stat_file_system() const
{
    struct statfs status;
    if (fstatfs(descriptor(), &status) != 0)
        return call_error("statfs");
    lkl::FileSystemStat result{};
    result.f_type = status.f_type;
    result.f_bsize = status.f_bsize;
    return result;
}

lkl::Result<void> HostFile::sync_file_system() const
{
    return void_result(syncfs(descriptor()), "write back");
}

lkl::Result<size_t> HostFile::list_attributes(std::span<char> names) const
{
    return size_result(flistxattr(descriptor(), names.data(), names.size()),
                       "list extended attributes");
}

lkl::Result<size_t> HostFile::get_attribute(const char* name, std::span<std::byte> value) const
{
    return size_result(fgetxattr(descriptor(), name, value.data(), value.size()),
                       "read extended attribute", name);
}

lkl::Result<void> HostFile::set_attribute(const char* name, std::span<const std::byte> value) const
{
    return void_result(fsetxattr(descriptor(), name, value.data(), value.size(), 0),
                       "set extended attribute", name);
}

lkl::Result<void> HostFile::remove_attribute(const char* name) const
{
    return void_result(fremovexattr(descriptor(), name), "remove extended attribute", name);
}

lkl::Result<HostFile> HostFile::open_at(const char* name, int flags, unsigned mode) const
{
    const int result = openat(descriptor(), name, flags | O_CLOEXEC, mode);
    if (result < 0)
        return call_error("open", name);
    return HostFile(result);
}

lkl::Result<lkl::Stat> HostFile::stat_at(const char* name, unsigned mask, int flags) const
{
    struct statx status;
    if (statx(descriptor(), name, flags, mask, &status) != 0)
        return call_error("stat", name);
    return to_stat(status);
}

lkl::Result<std::string> HostFile::read_link_at(const char* name) const
{
    std::string target(4096, '\0');
    for (;;) {
        const ssize_t length = readlinkat(descriptor(), name, target.data(), target.size());
        if (length < 0)
            return call_error("read link", name);
        if (static_cast<size_t>(length) < target.size()) {
            target.resize(static_cast<size_t>(length));
            return target;
        }
        target.resize(target.size() * 2);
    }
}

lkl::Result<void> HostFile::make_directory_at(const char* name, unsigned mode) const
{
    return void_result(mkdirat(descriptor(), name, mode), "make directory", name);
}

lkl::Result<void> HostFile::remove_at(const char* name, int flags) const
{
    return void_result(unlinkat(descriptor(), name, flags), "remove", name);
}

lkl::Result<void> HostFile::rename_at(const char* name, const HostFile& other,
                                      const char* new_name) const
{
    return void_result(renameat(descriptor(), name, other.descriptor(), new_name), "rename to",
                       new_name);
}

lkl::Result<void> HostFile::make_symbolic_link_at(const char* target, const char* name) const
{
    return void_result(symlinkat(target, descriptor(), name), "make symbolic link", name);
}

lkl::Result<void> HostFile::make_node_at(const char* name, unsigned mode, uint32_t device) const
{
    // The kernel's form of a number, see lkl::device_number().
    const dev_t number =
        makedev((device & 0xfff00) >> 8, (device & 0xff) | (device >> 12 & 0xfff00));
    return void_result(mknodat(descriptor(), name, mode, number), "make node", name);
}

lkl::Result<void> HostFile::link_at(const char* name, const HostFile& other, const char* link) const
{
    return void_result(linkat(descriptor(), name, other.descriptor(), link, 0), "make hard link",
                       link);
}

lkl::Result<void> HostFile::set_owner_at(const char* name, uint32_t uid, uint32_t gid) const
{
    return void_result(fchownat(descriptor(), name, uid, gid, AT_SYMLINK_NOFOLLOW), "set owner of",
                       name);
}

lkl::Result<void> HostFile::set_mode_at(const char* name, unsigned mode) const
{
    return void_result(fchmodat(descriptor(), name, mode, AT_SYMLINK_NOFOLLOW), "set mode of",
                       name);
}

lkl::Result<void> HostFile::set_times_at(const char* name, const lkl::FileTimes& times) const
{
    return void_result(utimensat(descriptor(), name, host_times(times).data(), AT_SYMLINK_NOFOLLOW),
                       "set times of", name);
}

lkl::Result<size_t> HostFile::list_attributes_at(const char* name, std::span<char> names) const
{
    return size_result(llistxattr(path_of(descriptor(), name).c_str(), names.data(), names.size()),
                       "list extended attributes of", name);
}

lkl::Result<size_t> HostFile::get_attribute_at(const char* name, const char* attribute,
                                               std::span<std::byte> value) const
{
    return size_result(
        lgetxattr(path_of(descriptor(), name).c_str(), attribute, value.data(), value.size()),
        "read extended attribute", attribute);
}

lkl::Result<void> HostFile::set_attribute_at(const char* name, const char* attribute,
                                             std::span<const std::byte> value) const
{
    return void_result(
        lsetxattr(path_of(descriptor(), name).c_str(), attribute, value.data(), value.size(), 0),
        "set extended attribute", attribute);
}

lkl::Result<void> HostFile::remove_attribute_at(const char* name, const char* attribute) const
{
    return void_result(lremovexattr(path_of(descriptor(), name).c_str(), attribute),
                       "remove extended attribute", attribute);
}

lkl::Result<const lkl::DirectoryEntry*> HostDirectory::next()
{
    if (!stream_) {
        // A stream takes its descriptor over, and moves its position. Without a new time of
        // access, which who reads a tree twice would take for the old one; that is for the
        // owner and root alone.
        auto own = file_.open_at(".", O_RDONLY | O_DIRECTORY | O_NOATIME);
        if (!own && own.error().code == EPERM)
            own = file_.open_at(".", O_RDONLY | O_DIRECTORY);
        if (!own)
            return std::move(own).error();
        const int descriptor = fcntl(own->descriptor(), F_DUPFD_CLOEXEC, 0);
        stream_.reset(descriptor < 0 ? nullptr : fdopendir(descriptor));
        if (!stream_)
            return call_error("read directory");
    }
    for (;;) {
        errno = 0;
        const dirent* const entry = readdir(stream_.get());
        if (entry == nullptr && errno != 0)
            return call_error("read directory");
        if (entry == nullptr)
            return nullptr;
        const std::string_view name = entry->d_name;
        if (name == "." || name == "..")
            continue;
        entry_.inode = entry->d_ino;
        entry_.type = static_cast<lkl::FileType>(entry->d_type);
        entry_.name = entry->d_name;
        return &entry_;
    }
}

}  // namespace tools
