// SPDX-License-Identifier: GPL-2.0-only
#include <lkl/file.hpp>

#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/asm/unistd.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/openat2.h>

#include "file/error.hpp"

namespace lkl {

using file::call_error;

namespace {

Result<size_t> size_result(long result, const char* operation)
{
    if (result < 0)
        return call_error(result, operation, {});
    return static_cast<size_t>(result);
}

Result<void> void_result(long result, std::string_view operation, std::string_view object = {})
{
    if (result < 0)
        return call_error(result, operation, object);
    return {};
}

// The directory is the working directory for the call, and not after: it would keep the
// mount busy.
template <typename Call>
auto within(Kernel& kernel, const File& directory, Call call) -> decltype(call())
{
    if (auto entered = directory.make_working_directory(); !entered)
        return std::move(entered).error();
    auto result = call();
    kernel.syscall(__lkl__NR_chdir, "/");
    return result;
}

}  // namespace

File::File(File&& other) noexcept
    : kernel_(std::exchange(other.kernel_, nullptr)),
      descriptor_(std::exchange(other.descriptor_, -1))
{
}

File& File::operator=(File&& other) noexcept
{
    if (this != &other) {
        (void)close();
        kernel_ = std::exchange(other.kernel_, nullptr);
        descriptor_ = std::exchange(other.descriptor_, -1);
    }
    return *this;
}

File::~File()
{
    (void)close();
}

long File::call(long number, long a, long b, long c, long d) const
{
    if (!is_open())
        return -LKL_EBADF;
    return kernel_->syscall(number, descriptor_, a, b, c, d);
}

Result<File> File::open(Kernel& kernel, const char* path, int flags, unsigned mode)
{
    const long result = kernel.syscall(__lkl__NR_openat, LKL_AT_FDCWD, path, flags, mode);
    if (result < 0)
        return call_error(result, "open", path);
    return File(&kernel, static_cast<int>(result));
}

Result<void> File::close()
{
    if (!is_open())
        return {};
    const int descriptor = std::exchange(descriptor_, -1);
    Kernel* const kernel = std::exchange(kernel_, nullptr);
    return void_result(kernel->syscall(__lkl__NR_close, descriptor), "close");
}

Result<size_t> File::read(std::span<std::byte> buffer) const
{
    return size_result(call(__lkl__NR_read, reinterpret_cast<long>(buffer.data()),
                            static_cast<long>(buffer.size())),
                       "read");
}

Result<size_t> File::read_at(std::span<std::byte> buffer, uint64_t offset) const
{
    return size_result(call(__lkl__NR_pread64, reinterpret_cast<long>(buffer.data()),
                            static_cast<long>(buffer.size()), static_cast<long>(offset)),
                       "read");
}

Result<size_t> File::read_at(std::span<const iovec> buffers, uint64_t offset) const
{
    // The 64-bit kernel takes the whole offset in its low half.
    return size_result(call(__lkl__NR_preadv, reinterpret_cast<long>(buffers.data()),
                            static_cast<long>(buffers.size()), static_cast<long>(offset)),
                       "read");
}

Result<size_t> File::write(std::span<const std::byte> data) const
{
    return size_result(
        call(__lkl__NR_write, reinterpret_cast<long>(data.data()), static_cast<long>(data.size())),
        "write");
}

Result<size_t> File::write_at(std::span<const std::byte> data, uint64_t offset) const
{
    return size_result(call(__lkl__NR_pwrite64, reinterpret_cast<long>(data.data()),
                            static_cast<long>(data.size()), static_cast<long>(offset)),
                       "write");
}

Result<size_t> File::write_at(std::span<const iovec> data, uint64_t offset) const
{
    return size_result(call(__lkl__NR_pwritev, reinterpret_cast<long>(data.data()),
                            static_cast<long>(data.size()), static_cast<long>(offset)),
                       "write");
}

Result<uint64_t> File::seek(int64_t offset, int whence) const
{
    const long result = call(__lkl__NR_lseek, offset, whence);
    if (result < 0)
        return call_error(result, "seek", {});
    return static_cast<uint64_t>(result);
}

Result<void> File::advise(uint64_t offset, uint64_t length, int advice) const
{
    return void_result(
        call(__lkl__NR_fadvise64, static_cast<long>(offset), static_cast<long>(length), advice),
        "advise");
}

Result<void> File::truncate(uint64_t size) const
{
    return void_result(call(__lkl__NR_ftruncate, static_cast<long>(size)), "truncate");
}

Result<void> File::sync(bool data_only) const
{
    return void_result(call(data_only ? __lkl__NR_fdatasync : __lkl__NR_fsync), "sync");
}

Result<void> File::sync_file_system() const
{
    return void_result(call(__lkl__NR_syncfs), "write back");
}

Result<void> File::set_owner(uint32_t uid, uint32_t gid) const
{
    return void_result(call(__lkl__NR_fchown, uid, gid), "set owner");
}

Result<void> File::set_mode(unsigned mode) const
{
    return void_result(call(__lkl__NR_fchmod, mode), "set mode");
}

Result<void> File::set_times(const FileTimes& times) const
{
    return void_result(call(__lkl__NR_utimensat, 0, reinterpret_cast<long>(times.data()), 0),
                       "set times");
}

Result<Stat> File::stat(unsigned mask) const
{
    Stat stat;
    const long result = call(__lkl__NR_statx, reinterpret_cast<long>(""), LKL_AT_EMPTY_PATH, mask,
                             reinterpret_cast<long>(&stat));
    if (result < 0)
        return call_error(result, "stat", {});
    return stat;
}

Result<FileSystemStat> File::stat_file_system() const
{
    FileSystemStat stat;
    const long result = call(__lkl__NR_fstatfs, reinterpret_cast<long>(&stat));
    if (result < 0)
        return call_error(result, "statfs", {});
    return stat;
}

Result<size_t> File::list_attributes(std::span<char> names) const
{
    return size_result(call(__lkl__NR_flistxattr, reinterpret_cast<long>(names.data()),
                            static_cast<long>(names.size())),
                       "list extended attributes");
}

Result<size_t> File::get_attribute(const char* name, std::span<std::byte> value) const
{
    const long result = call(__lkl__NR_fgetxattr, reinterpret_cast<long>(name),
                             reinterpret_cast<long>(value.data()), static_cast<long>(value.size()));
    if (result < 0)
        return call_error(result, "read extended attribute", name);
    return static_cast<size_t>(result);
}

Result<void> File::set_attribute(const char* name, std::span<const std::byte> value,
                                 int flags) const
{
    return void_result(
        call(__lkl__NR_fsetxattr, reinterpret_cast<long>(name),
             reinterpret_cast<long>(value.data()), static_cast<long>(value.size()), flags),
        "set extended attribute", name);
}

Result<void> File::remove_attribute(const char* name) const
{
    return void_result(call(__lkl__NR_fremovexattr, reinterpret_cast<long>(name)),
                       "remove extended attribute", name);
}

Result<File> File::open_in_root(const char* path, int flags) const
{
    struct ::lkl_open_how how {};
    how.flags = static_cast<unsigned>(flags);
    how.resolve = LKL_RESOLVE_IN_ROOT;
    const long result = call(__lkl__NR_openat2, reinterpret_cast<long>(path),
                             reinterpret_cast<long>(&how), sizeof(how));
    if (result < 0)
        return call_error(result, "open", path);
    return File(kernel_, static_cast<int>(result));
}

Result<File> File::open_at(const char* name, int flags, unsigned mode) const
{
    const long result = call(__lkl__NR_openat, reinterpret_cast<long>(name), flags, mode);
    if (result < 0)
        return call_error(result, "open", name);
    return File(kernel_, static_cast<int>(result));
}

Result<Stat> File::stat_at(const char* name, unsigned mask, int flags) const
{
    Stat stat;
    const long result = call(__lkl__NR_statx, reinterpret_cast<long>(name), flags, mask,
                             reinterpret_cast<long>(&stat));
    if (result < 0)
        return call_error(result, "stat", name);
    return stat;
}

Result<std::string> File::read_link_at(const char* name) const
{
    // One byte more than the longest target that any file system stores, and
    // more again should one ever fill it.
    std::string target(4096, '\0');
    for (;;) {
        const long result =
            call(__lkl__NR_readlinkat, reinterpret_cast<long>(name),
                 reinterpret_cast<long>(target.data()), static_cast<long>(target.size()));
        if (result < 0)
            return call_error(result, "read link", name);
        if (static_cast<size_t>(result) < target.size()) {
            target.resize(static_cast<size_t>(result));
            return target;
        }
        target.resize(target.size() * 2);
    }
}

Result<void> File::make_directory_at(const char* name, unsigned mode) const
{
    return void_result(call(__lkl__NR_mkdirat, reinterpret_cast<long>(name), mode),
                       "make directory", name);
}

Result<void> File::remove_at(const char* name, int flags) const
{
    return void_result(call(__lkl__NR_unlinkat, reinterpret_cast<long>(name), flags), "remove",
                       name);
}

Result<void> File::make_symbolic_link_at(const char* target, const char* name) const
{
    // The descriptor is the second argument of this call.
    if (!is_open())
        return call_error(-LKL_EBADF, "make symbolic link", name);
    return void_result(kernel_->syscall(__lkl__NR_symlinkat, target, descriptor_, name),
                       "make symbolic link", name);
}

Result<void> File::make_node_at(const char* name, unsigned mode, uint32_t device) const
{
    return void_result(call(__lkl__NR_mknodat, reinterpret_cast<long>(name), mode, device),
                       "make node", name);
}

Result<void> File::link_at(const char* name, const File& other, const char* link) const
{
    return void_result(call(__lkl__NR_linkat, reinterpret_cast<long>(name), other.descriptor(),
                            reinterpret_cast<long>(link), 0),
                       "make hard link", link);
}

Result<void> File::rename_at(const char* name, const File& other, const char* new_name,
                             unsigned flags) const
{
    return void_result(call(__lkl__NR_renameat2, reinterpret_cast<long>(name), other.descriptor(),
                            reinterpret_cast<long>(new_name), flags),
                       "rename", name);
}

Result<void> File::set_owner_at(const char* name, uint32_t uid, uint32_t gid) const
{
    return void_result(
        call(__lkl__NR_fchownat, reinterpret_cast<long>(name), uid, gid, LKL_AT_SYMLINK_NOFOLLOW),
        "set owner of", name);
}

Result<void> File::set_mode_at(const char* name, unsigned mode) const
{
    return void_result(
        call(__lkl__NR_fchmodat2, reinterpret_cast<long>(name), mode, LKL_AT_SYMLINK_NOFOLLOW),
        "set mode of", name);
}

Result<void> File::set_times_at(const char* name, const FileTimes& times) const
{
    return void_result(call(__lkl__NR_utimensat, reinterpret_cast<long>(name),
                            reinterpret_cast<long>(times.data()), LKL_AT_SYMLINK_NOFOLLOW),
                       "set times of", name);
}

Result<void> File::make_working_directory() const
{
    return void_result(call(__lkl__NR_fchdir), "change directory");
}

Result<size_t> File::list_attributes_at(const char* name, std::span<char> names) const
{
    return within(*kernel_, *this, [&] { return lkl::list_attributes(*kernel_, name, names); });
}

Result<size_t> File::get_attribute_at(const char* name, const char* attribute,
                                      std::span<std::byte> value) const
{
    return within(*kernel_, *this,
                  [&] { return lkl::get_attribute(*kernel_, name, attribute, value); });
}

Result<void> File::set_attribute_at(const char* name, const char* attribute,
                                    std::span<const std::byte> value, int flags) const
{
    return within(*kernel_, *this,
                  [&] { return lkl::set_attribute(*kernel_, name, attribute, value, flags); });
}

Result<void> File::remove_attribute_at(const char* name, const char* attribute) const
{
    return within(*kernel_, *this,
                  [&] { return lkl::remove_attribute(*kernel_, name, attribute); });
}

Result<size_t> list_attributes(Kernel& kernel, const char* path, std::span<char> names)
{
    const long result = kernel.syscall(__lkl__NR_llistxattr, path, names.data(), names.size());
    if (result < 0)
        return call_error(result, "list extended attributes of", path);
    return static_cast<size_t>(result);
}

Result<size_t> get_attribute(Kernel& kernel, const char* path, const char* name,
                             std::span<std::byte> value)
{
    const long result = kernel.syscall(__lkl__NR_lgetxattr, path, name, value.data(), value.size());
    if (result < 0)
        return call_error(result, std::string("read extended attribute ") + name + " of", path);
    return static_cast<size_t>(result);
}

Result<void> set_attribute(Kernel& kernel, const char* path, const char* name,
                           std::span<const std::byte> value, int flags)
{
    const long result =
        kernel.syscall(__lkl__NR_lsetxattr, path, name, value.data(), value.size(), flags);
    return void_result(result, std::string("set extended attribute ").append(name) + " of", path);
}

Result<void> remove_attribute(Kernel& kernel, const char* path, const char* name)
{
    return void_result(kernel.syscall(__lkl__NR_lremovexattr, path, name),
                       std::string("remove extended attribute ").append(name) + " of", path);
}

}  // namespace lkl
