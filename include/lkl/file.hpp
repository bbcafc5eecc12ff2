// SPDX-License-Identifier: GPL-2.0-only
// lkl::File and lkl::Directory: descriptors of a kernel's files that close
// themselves. Each function is one system call of the kernel, with its result
// or an Error that names the operation and the file.
//
// A File refers to the Kernel that opened it: that Kernel object must stay
// where it is (not be moved from) until the File is closed. Several threads may
// use one File at a time wherever the kernel's own call allows it; moving,
// closing and destroying it is for one thread alone. A Directory belongs to one
// thread at a time.
//
// Paths and names are bytes that end in a zero byte, as in the kernel: any
// charset, at most 255 bytes a name and 4095 bytes a path. Deeper files are
// reached by open_at() from a directory on the way.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <sys/uio.h>

#include <lkl/asm/statfs.h>
#include <lkl/kernel.hpp>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/stat.h>
#include <lkl/linux/time_types.h>
#include <lkl/result.hpp>

namespace lkl {

using Stat = struct ::lkl_statx;
using FileSystemStat = struct ::lkl_statfs;

// Access and modification time. Nanoseconds may be LKL_UTIME_NOW or LKL_UTIME_OMIT.
using FileTimes = std::array<struct ::__lkl__kernel_timespec, 2>;

// A device's number as mknodat(2) takes it: 12 bits of major, 20 of minor.
constexpr uint32_t device_number(uint32_t major, uint32_t minor)
{
    return (minor & 0xff) | (major & 0xfff) << 8 | (minor & 0xfff00) << 12;
}

class File {
public:
    // What stat() asks for when it is not told: all that stat(2) gives.
    static constexpr unsigned basic_stats = LKL_STATX_BASIC_STATS;

    // Opens an absolute path. flags: LKL_O_*; LKL_O_CLOEXEC is not needed, the
    // kernel has no exec. mode: permission bits of a file that is created.
    static Result<File> open(Kernel& kernel, const char* path, int flags, unsigned mode = 0);

    // Takes over a descriptor that the kernel gave.
    static File adopt(Kernel& kernel, int descriptor) { return File(&kernel, descriptor); }

    // A File that holds nothing: any call fails with EBADF.
    File() = default;
    File(File&& other) noexcept;
    File& operator=(File&& other) noexcept;
    ~File();

    bool is_open() const { return descriptor_ >= 0; }
    int descriptor() const { return descriptor_; }
    // The kernel that opened it. Only of a file that is open.
    Kernel& kernel() const { return *kernel_; }

    // Closes and reports what close(2) says, a delayed write error of a network
    // file system for instance. The descriptor is gone either way.
    Result<void> close();

    // Reads or writes at the file's position, or at `offset` bytes. Returns the
    // number of bytes, which may be less than asked; 0 is the end of the file.
    Result<size_t> read(std::span<std::byte> buffer) const;
    Result<size_t> read_at(std::span<std::byte> buffer, uint64_t offset) const;
    Result<size_t> read_at(std::span<const iovec> buffers, uint64_t offset) const;
    Result<size_t> write(std::span<const std::byte> data) const;
    Result<size_t> write_at(std::span<const std::byte> data, uint64_t offset) const;
    Result<size_t> write_at(std::span<const iovec> data, uint64_t offset) const;

    // whence: LKL_SEEK_*, LKL_SEEK_DATA and LKL_SEEK_HOLE among them (ENXIO: no
    // data behind the offset). Returns the new position.
    Result<uint64_t> seek(int64_t offset, int whence) const;

    // fadvise64(2); advice: LKL_POSIX_FADV_*. A length of 0 is to the end.
    Result<void> advise(uint64_t offset, uint64_t length, int advice) const;

    Result<void> truncate(uint64_t size) const;

    // fsync(2), or fdatasync(2) when only the data counts.
    Result<void> sync(bool data_only = false) const;
    // syncfs(2): all of the file system that this file is in.
    Result<void> sync_file_system() const;

    // fchown(2), fchmod(2) and utimensat(2): access and modification time.
    Result<void> set_owner(uint32_t uid, uint32_t gid) const;
    Result<void> set_mode(unsigned mode) const;
    Result<void> set_times(const FileTimes& times) const;

    Result<Stat> stat(unsigned mask = basic_stats) const;
    Result<FileSystemStat> stat_file_system() const;

    // Extended attributes, at most 64 KiB a list and a value. list_attributes()
    // puts the names behind each other, each ended by a zero byte. Both return
    // the number of bytes, ERANGE when the buffer is too small; an empty buffer
    // asks for the size. EOPNOTSUPP: the file system has none. ENODATA: not
    // this one.
    Result<size_t> list_attributes(std::span<char> names) const;
    Result<size_t> get_attribute(const char* name, std::span<std::byte> value) const;
    Result<void> set_attribute(const char* name, std::span<const std::byte> value,
                               int flags = 0) const;

    // ENODATA: it is not there.
    Result<void> remove_attribute(const char* name) const;

    // The following work on a name in this directory.

    Result<File> open_at(const char* name, int flags, unsigned mode = 0) const;
    // Opens a path as if this directory were the root of all files (openat2(2),
    // RESOLVE_IN_ROOT): symbolic links and ".." cannot lead out of it.
    Result<File> open_in_root(const char* path, int flags) const;
    // flags: LKL_AT_*. Does not follow a symbolic link unless told to.
    Result<Stat> stat_at(const char* name, unsigned mask = basic_stats,
                         int flags = LKL_AT_SYMLINK_NOFOLLOW) const;
    // The target of a symbolic link, of any length.
    Result<std::string> read_link_at(const char* name) const;
    Result<void> make_directory_at(const char* name, unsigned mode) const;
    // flags: LKL_AT_REMOVEDIR for a directory.
    Result<void> remove_at(const char* name, int flags = 0) const;
    Result<void> make_symbolic_link_at(const char* target, const char* name) const;
    // mknodat(2). mode: type and permission bits; device: new_encode_dev(), of a
    // device (device_number() makes it).
    Result<void> make_node_at(const char* name, unsigned mode, uint32_t device = 0) const;
    // A hard link to `name` in this directory, as `link` in the directory `other`.
    Result<void> link_at(const char* name, const File& other, const char* link) const;
    Result<void> rename_at(const char* name, const File& other, const char* new_name,
                           unsigned flags = 0) const;

    // As the functions without a name; symbolic links are not followed. The mode
    // of a symbolic link cannot be set (EOPNOTSUPP).
    Result<void> set_owner_at(const char* name, uint32_t uid, uint32_t gid) const;
    Result<void> set_mode_at(const char* name, unsigned mode) const;
    Result<void> set_times_at(const char* name, const FileTimes& times) const;

    // Makes this directory the working directory of all threads of the kernel's
    // process 1, which keeps its mount busy (EBUSY) while it is.
    Result<void> make_working_directory() const;

    // Extended attributes of an entry that may be a symbolic link or a device. The
    // kernel's calls for these know no descriptor: while each is made this directory is
    // the working directory, and "/" is after it, so one thread at a time may use them.
    Result<size_t> list_attributes_at(const char* name, std::span<char> names) const;
    Result<size_t> get_attribute_at(const char* name, const char* attribute,
                                    std::span<std::byte> value) const;
    Result<void> set_attribute_at(const char* name, const char* attribute,
                                  std::span<const std::byte> value, int flags = 0) const;
    Result<void> remove_attribute_at(const char* name, const char* attribute) const;

private:
    File(Kernel* kernel, int descriptor) : kernel_(kernel), descriptor_(descriptor) {}
    long call(long number, long a = 0, long b = 0, long c = 0, long d = 0) const;

    Kernel* kernel_ = nullptr;
    int descriptor_ = -1;
};

// Extended attributes of a path that may be a symbolic link, which is not
// followed. The same results as File's functions.
Result<size_t> list_attributes(Kernel& kernel, const char* path, std::span<char> names);
Result<size_t> get_attribute(Kernel& kernel, const char* path, const char* name,
                             std::span<std::byte> value);
Result<void> set_attribute(Kernel& kernel, const char* path, const char* name,
                           std::span<const std::byte> value, int flags = 0);
Result<void> remove_attribute(Kernel& kernel, const char* path, const char* name);

// The type of a directory entry, as getdents64(2) gives it.
enum class FileType : uint8_t {
    unknown = 0,  // the file system does not say: ask stat_at()
    fifo = 1,
    character_device = 2,
    directory = 4,
    block_device = 6,
    regular = 8,
    symbolic_link = 10,
    socket = 12,
};

struct DirectoryEntry {
    uint64_t inode = 0;
    FileType type = FileType::unknown;
    const char* name = "";  // valid until the next call of next() or rewind()
};

// Reads the entries of a directory, in the order of the file system.
class Directory {
public:
    static Result<Directory> open(Kernel& kernel, const char* path);
    // Takes over an open directory. buffer_size: bytes read at a time.
    explicit Directory(File file, size_t buffer_size = default_buffer_size);

    // The next entry; "." and ".." are left out. Null at the end.
    Result<const DirectoryEntry*> next();
    // Starts again with the first entry.
    Result<void> rewind();

    const File& file() const { return file_; }
    // Gives the directory's descriptor away; this object is empty afterwards.
    File release();

private:
    static constexpr size_t default_buffer_size = size_t{64} << 10;

    File file_;
    std::unique_ptr<std::byte[]> buffer_;
    size_t buffer_size_ = 0;
    size_t position_ = 0;
    size_t filled_ = 0;
    DirectoryEntry entry_;
};

}  // namespace lkl
