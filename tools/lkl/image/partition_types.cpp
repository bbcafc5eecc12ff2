// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/image/partition_types.hpp"

#include <cstdlib>
#include <memory>

#include <libfdisk/libfdisk.h>

namespace tools::lkl_tool {

namespace {

struct Release {
    void operator()(fdisk_context* context) const { fdisk_unref_context(context); }
};

// libfdisk's list of types alone is asked: it never sees the image.
const fdisk_parttype* find_type(const fdisk_label* label, const std::string& type)
{
    if (type.starts_with("0x"))
        return fdisk_label_get_parttype_from_code(
            label, static_cast<unsigned>(std::strtoul(type.c_str(), nullptr, 16)));
    // It knows GUIDs in capitals.
    std::string guid = type;
    for (char& c : guid) {
        if (c >= 'a' && c <= 'f')
            c = static_cast<char>(c - 'a' + 'A');
    }
    return fdisk_label_get_parttype_from_string(label, guid.c_str());
}

}  // namespace

std::string partition_type_name(const std::string& table, const std::string& type)
{
    const std::unique_ptr<fdisk_context, Release> context(fdisk_new_context());
    if (!context)
        return type;
    const fdisk_label* const label = fdisk_get_label(context.get(), table.c_str());
    const fdisk_parttype* const found = label == nullptr ? nullptr : find_type(label, type);
    const char* const name = found == nullptr ? nullptr : fdisk_parttype_get_name(found);
    return name == nullptr ? type : name;
}

}  // namespace tools::lkl_tool
