// SPDX-License-Identifier: GPL-2.0-only
#include "durability/common/disk_image.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include <sys/mman.h>
#include <unistd.h>

#include <lkl/disk.hpp>

#include "unit/test_disks.hpp"

namespace lkl::test {

namespace {

constexpr size_t page = 4096;
constexpr size_t chunk = 1 << 20;  // bytes read at once

bool is_zero(std::span<const std::byte> bytes)
{
    return bytes.front() == std::byte{0} &&
           std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

// Calls f(offset, page) for each that is not zero.
template <typename F>
void for_each_page(std::span<std::byte> bytes, F f)
{
    for (size_t at = 0; at < bytes.size(); at += page) {
        const auto part = bytes.subspan(at, std::min(page, bytes.size() - at));
        if (!is_zero(part))
            f(at, part);
    }
}

std::unique_ptr<BlockBackend> must(Result<std::unique_ptr<BlockBackend>> disk)
{
    if (!disk)
        throw std::runtime_error(disk.error().what);
    return *std::move(disk);
}

}  // namespace

DiskImage::DiskImage(uint64_t size) : fd_(::memfd_create("disk", MFD_CLOEXEC))
{
    void* memory = MAP_FAILED;
    if (fd_ >= 0 && ::ftruncate(fd_, static_cast<off_t>(size)) == 0)
        memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    if (memory == MAP_FAILED)
        throw std::runtime_error("no memory for a disk");
    bytes_ = {static_cast<std::byte*>(memory), size};
}

DiskImage::~DiskImage()
{
    ::munmap(bytes_.data(), bytes_.size());
    ::close(fd_);
}

std::string DiskImage::path() const
{
    return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd_);
}

std::unique_ptr<BlockBackend> DiskImage::disk(bool read_only) const
{
    MemoryDiskOptions options;
    options.read_only = read_only;
    return must(make_memory_disk(bytes_, options));
}

std::unique_ptr<BlockBackend> DiskImage::copy() const
{
    auto disk = must(make_memory_disk(bytes_.size()));
    for_each_page(bytes_, [&](uint64_t at, std::span<std::byte> part) {
        if (transfer(*disk, BlockOp::write, at, part.data(), part.size()) != 0)
            throw std::runtime_error("cannot copy a disk");
    });
    return disk;
}

void DiskImage::take(BlockBackend& disk)
{
    // Holes, and not pages of zeroes.
    ::madvise(bytes_.data(), bytes_.size(), MADV_REMOVE);
    std::vector<std::byte> buffer(chunk);
    for (size_t at = 0; at < bytes_.size(); at += chunk) {
        const auto part = std::span(buffer).first(std::min(chunk, bytes_.size() - at));
        if (transfer(disk, BlockOp::read, at, part.data(), part.size()) != 0)
            throw std::runtime_error("cannot read a disk");
        for_each_page(part, [&](size_t offset, std::span<std::byte> bytes) {
            std::memcpy(bytes_.data() + at + offset, bytes.data(), bytes.size());
        });
    }
}

void DiskImage::save(const std::string& path) const
{
    std::ofstream file(path, std::ios::binary);
    for_each_page(bytes_, [&](size_t at, std::span<std::byte> part) {
        file.seekp(static_cast<std::streamoff>(at));
        file.write(reinterpret_cast<const char*>(part.data()),
                   static_cast<std::streamsize>(part.size()));
    });
    file.close();
    if (!file || ::truncate(path.c_str(), static_cast<off_t>(bytes_.size())) != 0)
        throw std::runtime_error(path + ": cannot write");
}

}  // namespace lkl::test
