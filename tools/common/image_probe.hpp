// SPDX-License-Identifier: GPL-2.0-only
// What a disk image holds, found on the host with libblkid, before any kernel
// runs: file systems by their superblocks, and partition tables, of which the kernel knows
// more kinds (kernel_partitions.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/descriptor.hpp"

namespace tools {

// What stands at one place of an image. All empty: nothing that is known.
struct Content {
    std::string type;   // libblkid's name: "ext4", "vfat", "crypto_LUKS", "swap"
    std::string label;  // in UTF-8, as the volume says: not to be trusted
    std::string uuid;
    bool file_system = false;  // type can be mounted; else RAID, encryption, swap ...
    // Signatures of several file systems are there and libblkid does not choose.
    bool ambiguous = false;
};

struct PartitionContent {
    unsigned number = 0;    // as Linux counts them
    uint64_t offset = 0;    // bytes
    uint64_t size = 0;      // bytes
    std::string name;       // of the partition (GPT)
    std::string type;       // as the table has it: a GUID, or "0x83"; may be empty
    std::string uuid;       // of the partition, not of what it holds
    bool bootable = false;  // is marked so (MBR)
    Content content;
};

struct ImageContent {
    uint64_t size = 0;     // bytes
    Content whole;         // a file system that begins at offset 0 of the image
    std::string table;     // "gpt", "dos", ...; empty: no partition table
    std::string table_id;  // what the table calls the disk
    // Of the disk that the table was made for, bytes: the kernel finds the partitions only
    // on a disk with blocks of that size. 0: on any.
    uint32_t table_block_size = 0;
    std::vector<PartitionContent> partitions;
};

// Opens an image, a regular file or a block device, for reading, and for writing
// if asked. A block device that is written to must not be mounted by the host or
// claimed by another program. Throws ToolError, ExitCode::image, for what cannot
// be opened or is of another kind.
Descriptor open_image(const std::string& path, bool writable = false);

// Looks at an open image; `path` is for messages. Throws ToolError,
// ExitCode::image, for one that cannot be read, is empty, or is a disk image in
// a packed format (qcow2, a compressed file).
ImageContent probe_image(int descriptor, const std::string& path);

// Looks at one place of it, in bytes, which has to be there. Throws ToolError,
// ExitCode::image.
Content probe_content(int descriptor, const std::string& path, uint64_t offset, uint64_t size);

// The kernel's name for a type of libblkid's, where they differ ("ntfs" is
// mounted as ntfs3).
std::string kernel_type(const std::string& blkid_type);

// "partition 1: 512 MiB, vfat, label EFI", for a list of what there is.
std::string describe(const PartitionContent& partition);

}  // namespace tools
