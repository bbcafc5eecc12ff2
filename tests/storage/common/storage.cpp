// SPDX-License-Identifier: GPL-2.0-only
#include "storage.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <random>

#include <sys/mman.h>

#include <lkl/linux/fs.h>

#include "support/must.hpp"
#include "unit/test_disks.hpp"

namespace lkl::test {

Bytes pattern(size_t size, uint64_t seed)
{
    Bytes bytes(size);
    std::mt19937_64 random(seed);
    for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
        const uint64_t word = random();
        std::memcpy(bytes.data() + at, &word, std::min(sizeof word, size - at));
    }
    return bytes;
}

size_t same(std::span<const std::byte> one, std::span<const std::byte> other)
{
    return static_cast<size_t>(
        std::mismatch(one.begin(), one.end(), other.begin(), other.end()).first - one.begin());
}

bool becomes(const std::function<bool()>& so)
{
    for (int i = 0; i < 3000; ++i) {
        if (so())
            return true;
        std::this_thread::sleep_for(10ms);
    }
    return false;
}

Disk::Disk(Kernel& kernel, uint64_t size, uint32_t block_size) : bytes_(size)
{
    auto answer = [this](const BlockRequest&) -> std::optional<int> {
        ++requests_;
        if (broken_)
            return -EIO;
        return std::nullopt;
    };
    auto memory = must(make_memory_disk(bytes_, {.logical_block_size = block_size}));
    const DiskId id =
        must(kernel.add_disk(std::make_unique<InjectDisk>(std::move(memory), answer)));
    path_ = std::string("/dev/vd") + static_cast<char>('a' + id.index);
}

PinnedMemory::PinnedMemory(Kernel& kernel, size_t size) : kernel_(kernel), size_(size)
{
    const long address = kernel.syscall(__lkl__NR_mmap, nullptr, size, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address <= 0)
        throw std::runtime_error("mmap: " + std::to_string(address));
    data_ = reinterpret_cast<std::byte*>(address);
}

PinnedMemory::~PinnedMemory()
{
    kernel_.syscall(__lkl__NR_munmap, data_, size_);
}

Storage::Storage(const std::string& command_line)
    : kernel(boot(
          {.memory = 128 * MiB, .command_line = command_line, .log = [this](std::string_view line) {
               const std::lock_guard lock(log_mutex_);
               log_ += line;
           }}))
{
    calls.mount_at("devtmpfs", "/dev");
    calls.mount_at("proc", "/proc");
    calls.mount_at("sysfs", "/sys");
    const std::lock_guard lock(log_mutex_);
    log_.clear();  // the start of a kernel is of no interest here
}

void Storage::TearDown()
{
    if (HasFailure())
        std::fprintf(stderr, "The kernel's log:\n%s\n", log().c_str());
}

std::string Storage::log()
{
    const std::lock_guard lock(log_mutex_);
    return log_;
}

long Storage::try_read(const std::string& path, uint64_t offset, std::span<std::byte> data)
{
    const long fd = calls.open(path.c_str(), LKL_O_RDONLY);
    if (fd < 0)
        return fd;
    ioctl(fd, LKL_BLKFLSBUF);  // others may have it open, which keeps its page cache
    long result = 0;
    while (!data.empty() && result >= 0) {
        result = calls.pread(fd, data.data(), data.size(), offset);
        if (result == 0)
            result = -LKL_EIO;
        if (result > 0) {
            data = data.subspan(static_cast<size_t>(result));
            offset += static_cast<uint64_t>(result);
        }
    }
    EXPECT_EQ(calls.close(fd), 0);
    return std::min(result, 0L);
}

long Storage::try_write(const std::string& path, uint64_t offset, std::span<const std::byte> data)
{
    const long fd = calls.open(path.c_str(), LKL_O_RDWR);
    if (fd < 0)
        return fd;
    long result = calls.pwrite(fd, data.data(), data.size(), offset);
    if (result >= 0)
        result = result == static_cast<long>(data.size()) ? calls.fsync(fd) : -LKL_EIO;
    EXPECT_EQ(calls.close(fd), 0);
    return result;
}

long Storage::try_read_direct(const std::string& path, uint64_t offset, std::span<std::byte> data)
{
    if (!pinned_)
        pinned_ = std::make_unique<PinnedMemory>(kernel, MiB);
    const long fd = calls.open(path.c_str(), LKL_O_RDONLY | LKL_O_DIRECT);
    if (fd < 0)
        return fd;
    const long result = calls.pread(fd, pinned_->bytes().data(), data.size(), offset);
    EXPECT_EQ(calls.close(fd), 0);
    if (result < 0)
        return result;
    if (result != static_cast<long>(data.size()))
        return -LKL_EIO;
    std::memcpy(data.data(), pinned_->bytes().data(), data.size());
    return 0;
}

Bytes Storage::read(const std::string& path, uint64_t offset, size_t size)
{
    Bytes data(size);
    EXPECT_EQ(try_read(path, offset, data), 0) << path << " at " << offset;
    return data;
}

void Storage::write(const std::string& path, uint64_t offset, std::span<const std::byte> data)
{
    EXPECT_EQ(try_write(path, offset, data), 0) << path << " at " << offset;
}

}  // namespace lkl::test
