// SPDX-License-Identifier: GPL-2.0-only
#include "common/tar/acl.hpp"

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <archive.h>
#include <grp.h>
#include <pwd.h>

namespace tools {

namespace {

// The kernel's form (linux/posix_acl_xattr.h): a version word, then entries of tag
// (2 bytes), permissions (2), ID (4), all little-endian.
constexpr size_t header = 4;
constexpr size_t entry_size = 8;
constexpr uint32_t version = 2;
constexpr uint32_t no_id = ~0u;  // of entries that name nobody
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

struct AclEntry {
    uint32_t tag;
    uint32_t id;
    uint32_t permissions;
    // NOLINTNEXTLINE(modernize-use-nullptr): what the compiler makes of it has a 0
    auto operator<=>(const AclEntry&) const = default;
};

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

std::optional<uint32_t> id_of_name(uint32_t tag, const char* name)
{
    if (name == nullptr)
        return std::nullopt;
    // One thread reads an archive, nothing else looks names up.
    if (tag == user) {
        const passwd* const entry = getpwnam(name);
        return entry != nullptr ? std::optional(entry->pw_uid) : std::nullopt;
    }
    const ::group* const entry = getgrnam(name);
    return entry != nullptr ? std::optional(entry->gr_gid) : std::nullopt;
}

}  // namespace

std::string acl_text(std::string_view value)
{
    if (value.size() < header || (value.size() - header) % entry_size != 0 ||
        little_endian(value, 0, 4) != version)
        return {};
    std::string text;
    for (size_t at = header; at < value.size(); at += entry_size) {
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

std::optional<std::string> acl_value(archive_entry* archived, int type)
{
    if (archive_entry_acl_reset(archived, type) == 0)
        return std::string();
    std::vector<AclEntry> entries;
    int found = 0;
    int permissions = 0;
    int archive_tag = 0;
    int id = 0;
    const char* name = nullptr;
    while (archive_entry_acl_next(archived, type, &found, &permissions, &archive_tag, &id, &name) ==
           ARCHIVE_OK) {
        AclEntry entry{tag_of(archive_tag), no_id, static_cast<uint32_t>(permissions) & 7};
        if (entry.tag == user || entry.tag == group) {
            const auto known =
                id >= 0 ? std::optional(static_cast<uint32_t>(id)) : id_of_name(entry.tag, name);
            if (!known)
                return std::nullopt;
            entry.id = *known;
        }
        entries.push_back(entry);
    }
    // The kernel wants them in the order of their tags.
    std::sort(entries.begin(), entries.end());
    std::string value;
    put_little_endian(value, version, 4);
    for (const AclEntry& entry : entries) {
        put_little_endian(value, entry.tag, 2);
        put_little_endian(value, entry.permissions, 2);
        put_little_endian(value, entry.id, 4);
    }
    return value;
}

void map_acl_ids(std::string& value, const std::function<uint32_t(uint32_t)>& map)
{
    for (size_t at = header; at + entry_size <= value.size(); at += entry_size) {
        const uint32_t tag = little_endian(value, at, 2);
        if (tag != user && tag != group)
            continue;
        std::string id;
        put_little_endian(id, map(little_endian(value, at + 4, 4)), 4);
        value.replace(at + 4, 4, id);
    }
}

}  // namespace tools
