// SPDX-License-Identifier: GPL-2.0-only
// Calls on files of the host's kernel and of ours, through one class, so that either can
// write what the other reads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "side.hpp"

namespace lkl::test {

// Results are the kernel's: negative errno. Symbolic links are not followed.
class FileCalls {
public:
    FileCalls() = default;
    explicit FileCalls(Kernel& kernel) : side_(kernel) {}

    // What is read and written goes through memory that the kernel has mapped, in which it can
    // pin pages. One thread at a time from now on. 0 or a negative errno.
    long use_mapped_memory();

    long open(const std::string& path, int flags, unsigned mode = 0644) const;
    long close(long fd) const { return side_(NUMBER(close), fd); }
    long read(long fd, void* data, size_t size) const;
    long write(long fd, const void* data, size_t size) const;
    long pread(long fd, void* data, size_t size, uint64_t offset) const;
    long pwrite(long fd, const void* data, size_t size, uint64_t offset) const;
    long fsync(long fd) const { return side_(NUMBER(fsync), fd); }
    long truncate(long fd, uint64_t size) const { return side_(NUMBER(ftruncate), fd, size); }

    long mkdir(const std::string& path, unsigned mode = 0755) const;
    long rmdir(const std::string& path) const;
    long unlink(const std::string& path) const;
    long rename(const std::string& from, const std::string& to) const;
    long link(const std::string& from, const std::string& to) const;
    long symlink(const std::string& target, const std::string& path) const;
    long mkfifo(const std::string& path, unsigned mode = 0644) const;
    long chmod(const std::string& path, unsigned mode) const;
    long set_times(const std::string& path, const std::array<timespec, 2>& times) const;
    long stat(const std::string& path, struct statx& found) const;

    // Empty: it cannot be read.
    std::string read_link(const std::string& path) const;
    // A new file, or one that is replaced, written in pieces of `piece` bytes.
    long write_file(const std::string& path, std::string_view data, size_t piece = 1 << 20) const;
    // Stores the whole contents.
    long read_file(const std::string& path, std::string& data) const;
    // Stores the names in a directory, sorted, less "." and "..".
    long list(const std::string& path, std::vector<std::string>& names) const;

private:
    // Where the data of a call is that writes; its size may become less.
    const void* to_mapped(const void* data, size_t& size) const;

    static constexpr size_t mapped_size = 1 << 20;

    Side side_;
    char* mapped_ = nullptr;
};

}  // namespace lkl::test
