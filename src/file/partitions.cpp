// SPDX-License-Identifier: GPL-2.0-only
// The partitions of a disk, read from sysfs: the directory of a disk
// (/sys/dev/block/MAJOR:MINOR) holds one directory for each partition, with the
// files partition (its number), dev, start and size (in sectors of 512 bytes,
// whatever the disk's own sector size; Documentation/ABI/stable/sysfs-block).
#include <lkl/mount.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>

#include <lkl/asm/errno.h>
#include <lkl/file.hpp>
#include <lkl/linux/fcntl.h>

#include "file/error.hpp"

namespace lkl {

namespace {

// The user API's form of a device number: linux/kdev_t.h, new_encode_dev().
constexpr uint64_t encode_device(uint64_t major, uint64_t minor)
{
    return (minor & 0xff) | (major << 8) | ((minor & ~uint64_t{0xff}) << 12);
}
constexpr uint64_t device_major(uint64_t device)
{
    return (device & 0xfff00) >> 8;
}
constexpr uint64_t device_minor(uint64_t device)
{
    return (device & 0xff) | ((device >> 12) & 0xfff00);
}

// A number in a small text file, with what follows it; null when the file is
// missing or does not begin with a number.
struct Number {
    uint64_t value;
    std::string rest;
};

std::optional<Number> read_number(const File& directory, const char* name)
{
    auto file = directory.open_at(name, LKL_O_RDONLY);
    if (!file)
        return std::nullopt;
    std::array<char, 64> text;
    auto length = file->read(std::as_writable_bytes(std::span(text)));
    if (!length)
        return std::nullopt;
    const char* const end = text.data() + *length;
    Number number{};
    const auto [rest, error] = std::from_chars(text.data(), end, number.value);
    if (error != std::errc{})
        return std::nullopt;
    number.rest.assign(rest, end);
    return number;
}

// The partition that the sysfs directory `name` describes, if it describes one.
std::optional<Partition> read_partition(const File& disk, const char* name)
{
    auto directory = disk.open_at(name, LKL_O_RDONLY | LKL_O_DIRECTORY);
    if (!directory)
        return std::nullopt;
    const auto number = read_number(*directory, "partition");
    const auto device = read_number(*directory, "dev");  // "254:1"
    const auto start = read_number(*directory, "start");
    const auto size = read_number(*directory, "size");
    if (!number || !device || !start || !size || !device->rest.starts_with(':'))
        return std::nullopt;
    uint64_t minor = 0;
    const char* const text = device->rest.data();
    if (std::from_chars(text + 1, text + device->rest.size(), minor).ec != std::errc{})
        return std::nullopt;
    constexpr uint64_t sector = 512;
    return Partition{static_cast<unsigned>(number->value), encode_device(device->value, minor),
                     start->value * sector, size->value * sector};
}

}  // namespace

Result<std::vector<Partition>> list_partitions(Kernel& kernel, DiskId disk)
{
    const std::string path = "/sys/dev/block/" + std::to_string(device_major(disk.device)) + ':' +
                             std::to_string(device_minor(disk.device));
    auto directory = Directory::open(kernel, path.c_str());
    if (!directory && directory.error().code == LKL_ENOENT) {
        // EBUSY: sysfs is there, so it is the disk that is not.
        auto sysfs = Mount::special(kernel, "sysfs", "/sys");
        if (!sysfs && sysfs.error().code != LKL_EBUSY)
            return std::move(sysfs).error();
        if (sysfs)
            sysfs->release();
        directory = Directory::open(kernel, path.c_str());
    }
    if (!directory)
        return std::move(directory).error();

    std::vector<Partition> partitions;
    for (;;) {
        const auto entry = directory->next();
        if (!entry)
            return entry.error();
        if (*entry == nullptr)
            break;
        if ((*entry)->type != FileType::directory)
            continue;
        if (const auto partition = read_partition(directory->file(), (*entry)->name))
            partitions.push_back(*partition);
    }
    std::sort(partitions.begin(), partitions.end(),
              [](const Partition& a, const Partition& b) { return a.number < b.number; });
    return partitions;
}

}  // namespace lkl
