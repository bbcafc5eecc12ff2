// SPDX-License-Identifier: GPL-2.0-only
#include "common/image_probe.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

#include <blkid/blkid.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fs.h>

#include "common/progress.hpp"
#include "common/report.hpp"

namespace tools {

namespace {

constexpr uint64_t sector = 512;  // the unit of libblkid's partition offsets

constexpr uint32_t large_block = 4096;  // bytes; disks have this or 512

struct FreeProbe {
    void operator()(blkid_probe probe) const { blkid_free_probe(probe); }
};
using Probe = std::unique_ptr<std::remove_pointer_t<blkid_probe>, FreeProbe>;

Probe new_probe(int descriptor, uint64_t offset, uint64_t size)
{
    Probe probe(blkid_new_probe());
    // A size of 0 would mean "to the end".
    if (!probe || blkid_probe_set_device(probe.get(), descriptor, static_cast<blkid_loff_t>(offset),
                                         static_cast<blkid_loff_t>(size)) != 0)
        return nullptr;
    return probe;
}

std::string value_of(blkid_probe probe, const char* name)
{
    const char* data = nullptr;
    if (blkid_probe_lookup_value(probe, name, &data, nullptr) != 0)
        return {};
    return data;
}

[[noreturn]] void fail(const std::string& path, const std::string& why)
{
    throw ToolError(ExitCode::image, escaped(path) + ": " + why);
}

[[noreturn]] void fail_to_read(const std::string& path, int error)
{
    fail(path, std::string("cannot read the image: ") + std::strerror(error));
}

// libblkid takes nothing of this size and less for a file system, and romfs can be so small.
constexpr uint64_t too_small = 1024;  // bytes

// What it does look at: the same with zeros behind.
Descriptor enlarged(int descriptor, uint64_t offset, uint64_t size)
{
    std::array<char, 4 * too_small> bytes{};
    const ssize_t count =
        pread(descriptor, bytes.data(), std::min(size, too_small), static_cast<off_t>(offset));
    Descriptor copy(memfd_create("image", MFD_CLOEXEC));
    if (count < 0 || !copy ||
        pwrite(copy.get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        return {};
    return copy;
}

// libblkid's texts may be missing.
std::string text_of(const char* text)
{
    return text == nullptr ? std::string() : text;
}

std::string partition_type(blkid_partition entry)
{
    if (const char* const guid = blkid_partition_get_type_string(entry))
        return guid;
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "0x%02x",
                  static_cast<unsigned>(blkid_partition_get_type(entry)));
    return text.data();
}

// The flag of an MBR.
bool is_bootable(blkid_partition entry)
{
    constexpr unsigned long long active = 0x80;
    const char* const table = blkid_parttable_get_type(blkid_partition_get_table(entry));
    return text_of(table) == "dos" && blkid_partition_get_flags(entry) == active;
}

// block_size: of the disk, bytes; 0: that of the device, 512 for a file.
void probe_partitions(int descriptor, const std::string& path, uint32_t block_size,
                      ImageContent& image)
{
    const Probe probe = new_probe(descriptor, 0, image.size);
    if (!probe || (block_size != 0 && blkid_probe_set_sectorsize(probe.get(), block_size) != 0))
        return;
    blkid_probe_enable_superblocks(probe.get(), 0);
    blkid_probe_enable_partitions(probe.get(), 1);
    // Null is what there is for errors, too.
    errno = 0;
    const blkid_partlist list = blkid_probe_get_partitions(probe.get());
    if (list == nullptr && errno == EIO)
        fail_to_read(path, errno);
    if (list == nullptr)
        return;
    const blkid_parttable table = blkid_partlist_get_table(list);
    // Of the others, MBRs above all, nothing tells what they count in.
    if (block_size != 0 && (table == nullptr || text_of(blkid_parttable_get_type(table)) != "gpt"))
        return;
    image.table_block_size = block_size;
    const int count = blkid_partlist_numof_partitions(list);
    for (int i = 0; i < count; i++) {
        const blkid_partition entry = blkid_partlist_get_partition(list, i);
        if (entry == nullptr)
            continue;
        PartitionContent partition;
        partition.number = static_cast<unsigned>(blkid_partition_get_partno(entry));
        partition.offset = static_cast<uint64_t>(blkid_partition_get_start(entry)) * sector;
        partition.size = static_cast<uint64_t>(blkid_partition_get_size(entry)) * sector;
        partition.name = text_of(blkid_partition_get_name(entry));
        partition.type = partition_type(entry);
        partition.uuid = text_of(blkid_partition_get_uuid(entry));
        partition.bootable = is_bootable(entry);
        // A truncated image: what lies outside cannot be looked at.
        if (partition.offset < image.size && partition.size <= image.size - partition.offset &&
            blkid_partition_is_extended(entry) == 0)
            partition.content = probe_content(descriptor, path, partition.offset, partition.size);
        image.partitions.push_back(std::move(partition));
    }
    if (table == nullptr)
        return;
    image.table = text_of(blkid_parttable_get_type(table));
    image.table_id = text_of(blkid_parttable_get_id(table));
}

struct Signature {
    uint64_t offset;
    std::string_view magic;
    const char* what;
};

using namespace std::string_view_literals;

// Files that are often taken for disk images, and are none that a kernel reads.
constexpr std::array signatures{
    Signature{0, "QFI\xfb"sv, "a qcow2 image: convert it with \"qemu-img convert -O raw\""},
    Signature{0, "KDMV"sv, "a VMDK image: convert it with \"qemu-img convert -O raw\""},
    Signature{64, "\x7f\x10\xda\xbe"sv, "a VDI image: convert it with \"qemu-img convert -O raw\""},
    Signature{0, "vhdxfile"sv, "a VHDX image: convert it with \"qemu-img convert -O raw\""},
    Signature{0, "\x1f\x8b\x08"sv, "compressed with gzip: unpack it first"},
    Signature{0,
              "\xfd"
              "7zXZ\0"sv,
              "compressed with xz: unpack it first"},
    Signature{0, "\x28\xb5\x2f\xfd"sv, "compressed with zstd: unpack it first"},
    Signature{0, "BZh"sv, "compressed with bzip2: unpack it first"},
    Signature{0, "PK\x03\x04"sv, "a ZIP archive: unpack it first"},
};

uint64_t size_of(int descriptor, const std::string& path)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        fail(path, std::strerror(errno));
    if (S_ISREG(status.st_mode))
        return static_cast<uint64_t>(status.st_size);
    uint64_t size = 0;
    if (ioctl(descriptor, BLKGETSIZE64, &size) != 0)
        fail(path, std::string("cannot find its size: ") + std::strerror(errno));
    return size;
}

}  // namespace

Descriptor open_image(const std::string& path, bool writable)
{
    // Without O_NONBLOCK a FIFO would block here, before it can be refused. Without
    // O_CREAT, O_EXCL has a meaning for block devices alone: not in use by the host.
    const int flags = writable ? O_RDWR | O_EXCL : O_RDONLY;
    Descriptor image(open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK));
    struct stat status;
    if (!image && writable && errno == EBUSY)
        fail(path, "the device is in use: mounted, or claimed by another program");
    // What open(2) says of a directory depends on the mode asked for.
    if (!image && errno == EISDIR)
        fail(path, "is a directory, not a disk image");
    if (!image)
        fail(path, std::string("cannot open the image") + (writable ? " for writing: " : ": ") +
                       std::strerror(errno));
    if (fstat(image.get(), &status) != 0)
        fail(path, std::strerror(errno));
    if (S_ISDIR(status.st_mode))
        fail(path, "is a directory, not a disk image");
    if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
        fail(path, "is neither a file nor a block device");
    return image;
}

ImageContent probe_image(int descriptor, const std::string& path)
{
    ImageContent image;
    image.size = size_of(descriptor, path);
    if (image.size == 0)
        fail(path, "is empty");

    std::array<char, 128> head{};
    const ssize_t length = pread(descriptor, head.data(), head.size(), 0);
    if (length < 0)
        fail_to_read(path, errno);
    const std::string_view start(head.data(), static_cast<size_t>(length));
    for (const Signature& signature : signatures) {
        if (start.size() > signature.offset &&
            start.substr(signature.offset).starts_with(signature.magic))
            fail(path, std::string("is ") + signature.what);
    }

    image.whole = probe_content(descriptor, path, 0, image.size);
    probe_partitions(descriptor, path, 0, image);
    // The image of a disk with large blocks. A file does not tell.
    if (image.table.empty() && image.partitions.empty())
        probe_partitions(descriptor, path, large_block, image);
    return image;
}

Content probe_content(int descriptor, const std::string& path, uint64_t offset, uint64_t size)
{
    Content content;
    if (size == 0)
        return content;
    const Descriptor copy = size <= too_small ? enlarged(descriptor, offset, size) : Descriptor();
    const Probe probe =
        copy ? new_probe(copy.get(), 0, 4 * too_small) : new_probe(descriptor, offset, size);
    if (!probe)
        return content;
    blkid_probe_enable_partitions(probe.get(), 0);
    blkid_probe_enable_superblocks(probe.get(), 1);
    blkid_probe_set_superblocks_flags(probe.get(), BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL |
                                                       BLKID_SUBLKS_UUID | BLKID_SUBLKS_USAGE);
    constexpr int ambivalent = -2;
    const int result = blkid_do_safeprobe(probe.get());
    if (result < 0 && result != ambivalent)
        fail_to_read(path, -result);
    content.ambiguous = result == ambivalent;
    if (result != 0)
        return content;
    content.type = value_of(probe.get(), "TYPE");
    content.label = value_of(probe.get(), "LABEL");
    content.uuid = value_of(probe.get(), "UUID");
    content.file_system = value_of(probe.get(), "USAGE") == "filesystem";
    return content;
}

std::string kernel_type(const std::string& blkid_type)
{
    static constexpr std::array<std::array<std::string_view, 2>, 3> differing{{
        {"ntfs", "ntfs3"},
        {"ext4dev", "ext4"},
        {"xenix", "sysv"},
    }};
    for (const auto& [blkid, kernel] : differing) {
        if (blkid_type == blkid)
            return std::string(kernel);
    }
    return blkid_type;
}

std::string describe(const PartitionContent& partition)
{
    std::string text =
        "partition " + std::to_string(partition.number) + ": " + format_size(partition.size) + ", ";
    text += partition.content.type.empty() ? "unknown content" : partition.content.type;
    if (!partition.content.label.empty())
        text += ", label " + escaped(partition.content.label);
    if (!partition.name.empty())
        text += ", named " + escaped(partition.name);
    return text;
}

}  // namespace tools
