// SPDX-License-Identifier: GPL-2.0-only
// A disk's bytes in memory, and as a file for tools of the host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <lkl/block.hpp>

namespace lkl::test {

// Sparse bytes in memory, which a host program can open as a file. Throws
// std::runtime_error.
class DiskImage {
public:
    explicit DiskImage(uint64_t size);
    ~DiskImage();
    DiskImage(const DiskImage&) = delete;
    DiskImage& operator=(const DiskImage&) = delete;

    std::span<std::byte> bytes() const { return bytes_; }
    // Valid while this object exists, for other processes too.
    std::string path() const;

    // A disk in these bytes, read-only or not.
    std::unique_ptr<BlockBackend> disk(bool read_only) const;
    // A disk of its own with these bytes.
    std::unique_ptr<BlockBackend> copy() const;
    // Makes them those of this disk, which completes within submit().
    void take(BlockBackend& disk);
    void save(const std::string& path) const;

private:
    int fd_ = -1;
    std::span<std::byte> bytes_;
};

}  // namespace lkl::test
