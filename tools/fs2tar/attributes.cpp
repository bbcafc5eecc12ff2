// SPDX-License-Identifier: GPL-2.0-only
#include "fs2tar/attributes.hpp"

#include <cstdint>
#include <span>

#include <lkl/asm/errno.h>

namespace tools::fs2tar {

namespace {

// The kernel's limits (linux/limits.h) for a list of names and for a value.
constexpr size_t max_list = 65536;
constexpr size_t max_value = 65536;

uint32_t little_endian(std::string_view bytes, size_t offset, size_t count)
{
    uint32_t value = 0;
    for (size_t i = count; i-- > 0;)
        value = value << 8 | static_cast<unsigned char>(bytes[offset + i]);
    return value;
}

}  // namespace

void Attributes::clear()
{
    list.clear();
    acl_access.clear();
    acl_default.clear();
    selinux.clear();
}

AttributeReader::AttributeReader() : names_(max_list), value_(max_value) {}

// list(buffer) and get(name, buffer) are the two calls.
template <typename List, typename Get>
lkl::Result<void> AttributeReader::read_with(const List& list, const Get& get,
                                             Attributes& attributes)
{
    attributes.clear();
    const lkl::Result<size_t> length = list(std::span(names_));
    if (!length) {
        if (length.error().code == LKL_EOPNOTSUPP)
            return {};
        return length.error();
    }
    std::string_view names(names_.data(), *length);
    while (!names.empty()) {
        const std::string_view name = names.substr(0, names.find('\0'));
        names.remove_prefix(name.size() + 1);

        const lkl::Result<size_t> size = get(name.data(), std::span(value_));
        if (!size) {
            // Some file systems list what they then do not have, or do not show.
            if (size.error().code == LKL_ENODATA || size.error().code == LKL_EOPNOTSUPP)
                continue;
            return size.error();
        }
        attributes.list.push_back(
            {std::string(name), std::string(reinterpret_cast<const char*>(value_.data()), *size)});
        const std::string& value = attributes.list.back().value;
        if (name == "system.posix_acl_access")
            attributes.acl_access = acl_text(value);
        else if (name == "system.posix_acl_default")
            attributes.acl_default = acl_text(value);
        else if (name == "security.selinux")
            attributes.selinux = value.substr(0, value.find('\0'));
    }
    return {};
}

lkl::Result<void> AttributeReader::read(const lkl::File& file, Attributes& attributes)
{
    return read_with([&file](std::span<char> names) { return file.list_attributes(names); },
                     [&file](const char* name, std::span<std::byte> value) {
                         return file.get_attribute(name, value);
                     },
                     attributes);
}

lkl::Result<void> AttributeReader::read(lkl::Kernel& kernel, const char* name,
                                        Attributes& attributes)
{
    return read_with(
        [&kernel, name](std::span<char> names) {
            return lkl::list_attributes(kernel, name, names);
        },
        [&kernel, name](const char* attribute, std::span<std::byte> value) {
            return lkl::get_attribute(kernel, name, attribute, value);
        },
        attributes);
}

std::string acl_text(std::string_view value)
{
    // A version word, then entries of tag (2 bytes), permissions (2), ID (4).
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

}  // namespace tools::fs2tar
