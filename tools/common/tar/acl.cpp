// SPDX-License-Identifier: GPL-2.0-only
#include "common/tar/acl.hpp"

#include <cstddef>
#include <cstdint>

#include <archive.h>

namespace tools {

namespace {

// The kernel's form (linux/posix_acl_xattr.h): a version word, then entries of tag
// (2 bytes), permissions (2), ID (4), all little-endian.
constexpr size_t header = 4;
constexpr size_t entry = 8;
constexpr uint32_t version = 2;
enum Tag : uint32_t {
    user_object = 0x01,
    user = 0x02,
    group_object = 0x04,
    group = 0x08,
    mask = 0x10,
    other = 0x20,
};

uint32_t little_endian(std::string_view bytes, size_t offset, size_t count)
{
    uint32_t value = 0;
    for (size_t i = count; i-- > 0;)
        value = value << 8 | static_cast<unsigned char>(bytes[offset + i]);
    return value;
}

void put_little_endian(std::string& bytes, uint32_t value, size_t count)
{
    for (size_t i = 0; i < count; i++, value >>= 8)
        bytes += static_cast<char>(value & 0xff);
}

uint32_t tag_of(int libarchive_tag)
{
    switch (libarchive_tag) {
    case ARCHIVE_ENTRY_ACL_USER_OBJ:
        return user_object;
    case ARCHIVE_ENTRY_ACL_USER:
        return user;
    case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
        return group_object;
    case ARCHIVE_ENTRY_ACL_GROUP:
        return group;
    case ARCHIVE_ENTRY_ACL_MASK:
        return mask;
    default:
        return other;
    }
}

}  // namespace

std::string acl_text(std::string_view value)
{
    if (value.size() < header || (value.size() - header) % entry != 0 ||
        little_endian(value, 0, 4) != version)
        return {};
    std::string text;
    for (size_t at = header; at < value.size(); at += entry) {
        const uint32_t tag = little_endian(value, at, 2);
        const uint32_t permissions = little_endian(value, at + 2, 2);
        const std::string id = std::to_string(little_endian(value, at + 4, 4));
        if (!text.empty())
            text += ',';
        switch (tag) {
        case user_object:
            text += "user::";
            break;
        case user:
            text += "user:" + id + ':';
            break;
        case group_object:
            text += "group::";
            break;
        case group:
            text += "group:" + id + ':';
            break;
        case mask:
            text += "mask::";
            break;
        case other:
            text += "other::";
            break;
        default:
            return {};
        }
        text += (permissions & 4) != 0 ? 'r' : '-';
        text += (permissions & 2) != 0 ? 'w' : '-';
        text += (permissions & 1) != 0 ? 'x' : '-';
    }
    return text;
}

std::string acl_value(archive_entry* archived, int type)
{
    std::string value;
    if (archive_entry_acl_reset(archived, type) == 0)
        return value;
    put_little_endian(value, version, 4);
    int found = 0;
    int permissions = 0;
    int archive_tag = 0;
    int id = 0;
    const char* name = nullptr;
    while (archive_entry_acl_next(archived, type, &found, &permissions, &archive_tag, &id, &name) ==
           ARCHIVE_OK) {
        const uint32_t tag = tag_of(archive_tag);
        const bool named = tag == user || tag == group;
        // A name is that of the machine where the archive was made: it says nothing
        // about the image.
        if (named && id < 0)
            return {};
        put_little_endian(value, tag, 2);
        put_little_endian(value, static_cast<uint32_t>(permissions) & 7, 2);
        put_little_endian(value, named ? static_cast<uint32_t>(id) : ~0u, 4);
    }
    return value;
}

void map_acl_ids(std::string& value, const std::function<uint32_t(uint32_t)>& map)
{
    for (size_t at = header; at + entry <= value.size(); at += entry) {
        const uint32_t tag = little_endian(value, at, 2);
        if (tag != user && tag != group)
            continue;
        std::string id;
        put_little_endian(id, map(little_endian(value, at + 4, 4)), 4);
        value.replace(at + 4, 4, id);
    }
}

}  // namespace tools
