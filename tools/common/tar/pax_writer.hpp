// SPDX-License-Identifier: GPL-2.0-only
// The headers of a tar archive in the pax interchange format (POSIX.1-2008,
// pax, "pax Interchange Format"), with the extensions that both GNU tar and
// libarchive read: SCHILY.xattr.* and SCHILY.acl.* (star), RHT.security.selinux
// and GNU.sparse 1.0 (GNU tar).
//
// Why not libarchive's writer, whose filters we use: it changes the group bits
// of a mode when there is an access ACL, has no RHT.security.selinux, writes
// times before 1970 with a wrong fraction, and costs ten times as much a file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/tar/output_stream.hpp"
#include "common/tree/entry.hpp"

namespace tools {

// The type flags of the ustar header.
enum class MemberType : char {
    regular = '0',
    hard_link = '1',
    symbolic_link = '2',
    character_device = '3',
    block_device = '4',
    directory = '5',
    fifo = '6',
};

struct Member {
    std::string_view path;  // any bytes, any length; of a directory with a slash at the end
    MemberType type = MemberType::regular;
    uint32_t mode = 0;  // permission bits, set-user-ID and so on
    uint32_t uid = 0;
    uint32_t gid = 0;
    uint64_t size = 0;  // of a regular file, holes included
    Time mtime;
    Time atime;
    Time ctime;
    std::string_view link;  // target of a link
    uint32_t device_major = 0;
    uint32_t device_minor = 0;
    // Extended attributes, and what of them has a record of its own besides.
    std::span<const Attribute> attributes;
    std::string_view acl_access;   // as text
    std::string_view acl_default;  // as text
    std::string_view selinux;      // the label
    // A sparse file's data in rising order. Null: not sparse.
    const std::vector<Extent>* extents = nullptr;
};

// One thread.
class PaxWriter {
public:
    explicit PaxWriter(OutputStream& out) : out_(out) {}

    // Writes what stands before a member's data. Its data follow, written to
    // the stream by the caller: `size` bytes of a regular file, or the extents
    // behind each other. Then end_member().
    void begin_member(const Member& member);
    void end_member();

    // The archive's end: two blocks of zeros, up to a whole record.
    void end_archive();

private:
    void add_record(std::string_view key, std::string_view value);
    void add_number(std::string_view key, uint64_t value);
    void add_time(std::string_view key, Time time);
    void add_records(const Member& member);
    void add_sparse_map(const Member& member);

    OutputStream& out_;
    std::string records_;  // of the extended header; kept to keep its memory
    std::string map_;      // of a sparse file
};

}  // namespace tools
