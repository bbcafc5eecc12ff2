// SPDX-License-Identifier: GPL-2.0-only
// Files that go away with the test.
#pragma once

#include <string>
#include <vector>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace lkl::test {

class TempFile {
public:
    // A sparse file of this size.
    explicit TempFile(uint64_t size, const std::string& directory = testing::TempDir())
        : path_(directory + "/lkl-test-XXXXXX")
    {
        fd_ = ::mkostemp(path_.data(), O_CLOEXEC);
        EXPECT_GE(fd_, 0) << path_;
        sized_ = ::ftruncate(fd_, static_cast<off_t>(size)) == 0;
    }
    ~TempFile()
    {
        ::close(fd_);
        ::unlink(path_.c_str());
    }
    TempFile(const TempFile&) = delete;
    TempFile& operator=(const TempFile&) = delete;

    const std::string& path() const { return path_; }
    int fd() const { return fd_; }
    bool sized() const { return sized_; }  // the file system takes files that large

    std::vector<unsigned char> read(uint64_t offset, size_t size) const
    {
        std::vector<unsigned char> data(size);
        EXPECT_EQ(::pread(fd_, data.data(), size, static_cast<off_t>(offset)),
                  static_cast<ssize_t>(size));
        return data;
    }
    void write(uint64_t offset, const std::vector<unsigned char>& data) const
    {
        EXPECT_EQ(::pwrite(fd_, data.data(), data.size(), static_cast<off_t>(offset)),
                  static_cast<ssize_t>(data.size()));
    }
    uint64_t blocks() const  // of 512 bytes, that the file occupies
    {
        struct stat status {};
        EXPECT_EQ(::fstat(fd_, &status), 0);
        return static_cast<uint64_t>(status.st_blocks);
    }
    uint64_t size() const
    {
        struct stat status {};
        EXPECT_EQ(::fstat(fd_, &status), 0);
        return static_cast<uint64_t>(status.st_size);
    }
    // Out of the host's page cache, so that reads have to wait for the disk.
    void make_cold() const
    {
        ::fdatasync(fd_);
        ::posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED);
    }

private:
    std::string path_;
    int fd_ = -1;
    bool sized_ = false;
};

}  // namespace lkl::test
