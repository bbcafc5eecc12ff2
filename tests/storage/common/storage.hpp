// SPDX-License-Identifier: GPL-2.0-only
// What the tests of block devices share: a kernel with disks that the test can look at,
// damage and break from outside, and whole transfers to and from devices.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <lkl/disk.hpp>

#include "support/kernel.hpp"

namespace lkl::test {

using Bytes = std::vector<std::byte>;

constexpr uint64_t KiB = 1024;
constexpr uint64_t MiB = 1024 * KiB;
constexpr uint64_t sector_size = 512;

// Bytes that are different for each seed, and in each block.
Bytes pattern(size_t size, uint64_t seed);

// How many bytes are the same in both, from the start on; tests compare it with the
// length, since a dump of megabytes says less than a place.
size_t same(std::span<const std::byte> one, std::span<const std::byte> other);

// Waits until it is so; false if it is not after half a minute.
bool becomes(const std::function<bool()>& so);

// A disk of the kernel in memory of the test.
class Disk {
public:
    Disk(Kernel& kernel, uint64_t size, uint32_t block_size = sector_size);
    Disk(const Disk&) = delete;
    Disk& operator=(const Disk&) = delete;

    // What is stored, seen past the kernel: to be looked at after an fsync().
    std::span<std::byte> bytes() { return bytes_; }
    std::span<std::byte> bytes(uint64_t offset, uint64_t size)
    {
        return bytes().subspan(offset, size);
    }
    // The special file inside the kernel.
    const std::string& path() const { return path_; }
    uint64_t sectors() const { return bytes_.size() / sector_size; }
    // From now on every request ends with an error, or no longer does.
    void set_broken(bool broken) { broken_ = broken; }
    // Requests that the kernel has made.
    uint64_t requests() const { return requests_; }

private:
    Bytes bytes_;
    std::string path_;
    std::atomic<bool> broken_{false};
    std::atomic<uint64_t> requests_{0};
};

// Memory that the kernel has mapped, which it can pin: for O_DIRECT and io_uring.
class PinnedMemory {
public:
    PinnedMemory(Kernel& kernel, size_t size);
    ~PinnedMemory();
    PinnedMemory(const PinnedMemory&) = delete;
    PinnedMemory& operator=(const PinnedMemory&) = delete;

    std::span<std::byte> bytes() { return {data_, size_}; }

private:
    Kernel& kernel_;
    std::byte* data_ = nullptr;
    size_t size_;
};

// A kernel with /dev, /proc and /sys. Its log is shown when the test fails.
class Storage : public testing::Test {
protected:
    explicit Storage(const std::string& command_line = {});
    void TearDown() override;

    // The next of /dev/vda, /dev/vdb ...; zeroed.
    Disk& add_disk(uint64_t size, uint32_t block_size = sector_size)
    {
        return disks_.emplace_back(kernel, size, block_size);
    }

    long ioctl(long fd, unsigned long request, const void* argument)
    {
        return kernel.syscall(__lkl__NR_ioctl, fd, request, argument);
    }
    long ioctl(long fd, unsigned long request, long argument = 0)
    {
        return kernel.syscall(__lkl__NR_ioctl, fd, request, argument);
    }

    // What is read comes from below, not from the device's page cache. The negative errno of the
    // first call that fails, or 0; -EIO if there was less than asked for.
    long try_read(const std::string& path, uint64_t offset, std::span<std::byte> data);
    long try_write(const std::string& path, uint64_t offset, std::span<const std::byte> data);
    // The same past the page cache, whose errors are all EIO. The size is at most 1 MiB.
    long try_read_direct(const std::string& path, uint64_t offset, std::span<std::byte> data);

    // These have to succeed.
    Bytes read(const std::string& path, uint64_t offset, size_t size);
    void write(const std::string& path, uint64_t offset, std::span<const std::byte> data);

    // What the kernel has said so far.
    std::string log();

private:
    std::mutex log_mutex_;
    std::string log_;
    std::list<Disk> disks_;  // the kernel uses them up to its end

protected:
    Kernel kernel;
    Calls calls{kernel};

private:
    std::unique_ptr<PinnedMemory> pinned_;
};

}  // namespace lkl::test
