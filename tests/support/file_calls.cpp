// SPDX-License-Identifier: GPL-2.0-only
#include "file_calls.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <dirent.h>
#include <sys/mman.h>

namespace lkl::test {

long FileCalls::open(const std::string& path, int flags, unsigned mode) const
{
    return side_(NUMBER(openat), AT_FDCWD, path.c_str(), flags, mode);
}

long FileCalls::use_mapped_memory()
{
    const long address = side_(NUMBER(mmap), nullptr, mapped_size, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address >= 0)
        mapped_ = reinterpret_cast<char*>(address);
    return std::min(address, 0l);
}

long FileCalls::read(long fd, void* data, size_t size) const
{
    if (!mapped_)
        return side_(NUMBER(read), fd, data, size);
    const long result = side_(NUMBER(read), fd, mapped_, std::min(size, mapped_size));
    std::memcpy(data, mapped_, static_cast<size_t>(std::max(result, 0l)));
    return result;
}

long FileCalls::write(long fd, const void* data, size_t size) const
{
    return side_(NUMBER(write), fd, to_mapped(data, size), size);
}

long FileCalls::pread(long fd, void* data, size_t size, uint64_t offset) const
{
    if (!mapped_)
        return side_(NUMBER(pread64), fd, data, size, offset);
    const long result = side_(NUMBER(pread64), fd, mapped_, std::min(size, mapped_size), offset);
    std::memcpy(data, mapped_, static_cast<size_t>(std::max(result, 0l)));
    return result;
}

long FileCalls::pwrite(long fd, const void* data, size_t size, uint64_t offset) const
{
    return side_(NUMBER(pwrite64), fd, to_mapped(data, size), size, offset);
}

const void* FileCalls::to_mapped(const void* data, size_t& size) const
{
    if (!mapped_)
        return data;
    size = std::min(size, mapped_size);
    return std::memcpy(mapped_, data, size);
}

long FileCalls::mkdir(const std::string& path, unsigned mode) const
{
    return side_(NUMBER(mkdirat), AT_FDCWD, path.c_str(), mode);
}

long FileCalls::rmdir(const std::string& path) const
{
    return side_(NUMBER(unlinkat), AT_FDCWD, path.c_str(), AT_REMOVEDIR);
}

long FileCalls::unlink(const std::string& path) const
{
    return side_(NUMBER(unlinkat), AT_FDCWD, path.c_str(), 0);
}

long FileCalls::rename(const std::string& from, const std::string& to) const
{
    return side_(NUMBER(renameat2), AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), 0);
}

long FileCalls::link(const std::string& from, const std::string& to) const
{
    return side_(NUMBER(linkat), AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), 0);
}

long FileCalls::symlink(const std::string& target, const std::string& path) const
{
    return side_(NUMBER(symlinkat), target.c_str(), AT_FDCWD, path.c_str());
}

long FileCalls::mkfifo(const std::string& path, unsigned mode) const
{
    return side_(NUMBER(mknodat), AT_FDCWD, path.c_str(), S_IFIFO | mode, 0);
}

long FileCalls::chmod(const std::string& path, unsigned mode) const
{
    return side_(NUMBER(fchmodat), AT_FDCWD, path.c_str(), mode);
}

long FileCalls::set_times(const std::string& path, const std::array<timespec, 2>& times) const
{
    return side_(NUMBER(utimensat), AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
}

long FileCalls::stat(const std::string& path, struct statx& found) const
{
    return side_(NUMBER(statx), AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS,
                 &found);
}

std::string FileCalls::read_link(const std::string& path) const
{
    char target[4096];
    const long size = side_(NUMBER(readlinkat), AT_FDCWD, path.c_str(), target, sizeof target);
    return size < 0 ? std::string() : std::string(target, static_cast<size_t>(size));
}

long FileCalls::write_file(const std::string& path, std::string_view data, size_t piece) const
{
    const long fd = open(path, O_WRONLY | O_CREAT | O_TRUNC);
    if (fd < 0)
        return fd;
    long result = 0;
    while (!data.empty()) {
        result = write(fd, data.data(), std::min(piece, data.size()));
        if (result <= 0)
            break;
        data.remove_prefix(static_cast<size_t>(result));
    }
    const long closed = close(fd);
    if (result < 0)
        return result;
    return data.empty() ? closed : -EIO;
}

long FileCalls::read_file(const std::string& path, std::string& data) const
{
    const long fd = open(path, O_RDONLY | O_NOFOLLOW);
    if (fd < 0)
        return fd;
    data.clear();
    std::string buffer(256 << 10, 0);
    long result = 0;
    while ((result = read(fd, buffer.data(), buffer.size())) > 0)
        data.append(buffer, 0, static_cast<size_t>(result));
    const long closed = close(fd);
    return result < 0 ? result : closed;
}

long FileCalls::list(const std::string& path, std::vector<std::string>& names) const
{
    const long fd = open(path, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return fd;
    names.clear();
    alignas(dirent64) char buffer[4096];
    long result = 0;
    while ((result = side_(NUMBER(getdents64), fd, buffer, sizeof buffer)) > 0) {
        for (long at = 0; at < result;) {
            const auto* const entry = reinterpret_cast<const dirent64*>(buffer + at);
            if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
                names.emplace_back(entry->d_name);
            at += entry->d_reclen;
        }
    }
    std::sort(names.begin(), names.end());
    const long closed = close(fd);
    return result < 0 ? result : closed;
}

}  // namespace lkl::test
