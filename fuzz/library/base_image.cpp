// SPDX-License-Identifier: GPL-2.0-only
#include "base_image.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lkl/disk.hpp>

namespace lkl::fuzz {

namespace {

constexpr size_t sector_size = 512;

bool is_empty(std::span<const std::byte> bytes)
{
    return std::all_of(bytes.begin(), bytes.end(),
                       [](std::byte one) { return one == std::byte{}; });
}

}  // namespace

void BaseImage::Unmap::operator()(std::byte* start) const
{
    ::munmap(start, size);
}

Result<BaseImage> BaseImage::load(const std::string& path)
{
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (fd < 0 || ::fstat(fd, &status) != 0) {
        const int code = errno;
        if (fd >= 0)
            ::close(fd);
        return Error{code, path + ": " + std::strerror(code)};
    }
    const size_t size = static_cast<size_t>(status.st_size) & ~(sector_size - 1);
    const auto map = [fd, size](int protection, int flags) -> Mapping {
        void* const at = ::mmap(nullptr, size, protection, MAP_PRIVATE | flags, fd, 0);
        return {at == MAP_FAILED ? nullptr : static_cast<std::byte*>(at), Unmap{size}};
    };
    BaseImage image;
    image.file_ = map(PROT_READ, MAP_POPULATE);
    image.memory_ = map(PROT_READ | PROT_WRITE, 0);
    ::close(fd);
    if (!image.file_ || !image.memory_)
        return Error{EINVAL, path + ": not an image"};
    const std::span<const std::byte> all(image.file_.get(), size);
    for (size_t i = 0; i < all.size() / sector_size; ++i) {
        if (!is_empty(all.subspan(i * sector_size, sector_size)))
            image.sectors_.push_back(static_cast<uint32_t>(i));
    }
    if (image.sectors_.empty())
        return Error{EINVAL, path + ": an empty image"};
    image.checksums_ = find_checksums(all);
    return image;
}

Result<std::unique_ptr<BlockBackend>> BaseImage::disk()
{
    return make_memory_disk(memory());
}

// Private pages that are given up are those of the file again.
void BaseImage::reset()
{
    ::madvise(memory_.get(), memory().size(), MADV_DONTNEED);
}

void BaseImage::change(Input& input)
{
    const uint8_t head = input.byte();
    for (int i = head & 0x3f; i > 0 && !input.empty(); --i)
        change_one(input);
    if (head & 0x80)
        repair_checksums();
}

void BaseImage::change_one(Input& input)
{
    const uint64_t sector = sectors_[input.word() % sectors_.size()];
    const size_t inside = input.word() % sector_size;
    const auto bytes =
        input.take(std::min<size_t>((input.byte() & 0xf) + 1u, sector_size - inside));
    const uint64_t offset = sector * sector_size + inside;
    std::memcpy(memory_.get() + offset, bytes.data(), bytes.size());
    changed_.push_back({offset, bytes.size()});
}

void BaseImage::repair_checksums()
{
    const auto changes = changed_;
    for (const ChecksummedBlock& block : checksums_) {
        const bool touched =
            std::any_of(changes.begin(), changes.end(), [&block](const Range& range) {
                return range.offset < block.offset + block.length &&
                       block.offset < range.offset + range.length;
            });
        if (!touched)
            continue;
        repair(block, memory());
        changed_.push_back({block.offset + block.checksum, sizeof(uint32_t)});
    }
}

void BaseImage::undo()
{
    for (const Range& range : changed_)
        std::memcpy(memory_.get() + range.offset, file_.get() + range.offset, range.length);
    changed_.clear();
}

}  // namespace lkl::fuzz
