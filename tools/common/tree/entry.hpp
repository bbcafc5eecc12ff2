// SPDX-License-Identifier: GPL-2.0-only
// A file on its way from one tree or archive to another.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tools {

// Seconds since 1970, and nanoseconds to be added: before 1970, too.
struct Time {
    int64_t seconds = 0;
    uint32_t nanoseconds = 0;
};

// An extended attribute; ACLs are among them in the kernel's form.
struct Attribute {
    std::string name;
    std::string value;
};

// A part of a file that holds data; the rest of it is holes. In bytes.
struct Extent {
    uint64_t offset = 0;
    uint64_t length = 0;
};

enum class EntryType {
    regular,
    hard_link,
    symbolic_link,
    character_device,
    block_device,
    directory,
    fifo,
    socket,
};

// Kept from file to file by who fills it in, so that its memory is.
struct Entry {
    // Below the top of the tree, without slashes at its ends; any bytes, any length.
    // Empty: the top itself.
    std::string path;
    EntryType type = EntryType::regular;
    uint32_t mode = 0;  // permission bits, set-user-ID and so on
    uint32_t uid = 0;
    uint32_t gid = 0;
    uint64_t size = 0;  // bytes, of a regular file, holes included
    Time mtime;
    Time atime;
    Time ctime;
    std::string link;  // target of a symbolic link; the other path of a hard link
    uint32_t device_major = 0;
    uint32_t device_minor = 0;
    std::vector<Attribute> attributes;
    bool sparse = false;
    std::vector<Extent> extents;  // of a sparse file, in rising order, if they are known
};

}  // namespace tools
