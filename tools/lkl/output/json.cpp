// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/output/json.hpp"

#include <lkl/linux/stat.h>

#include "lkl/output/format.hpp"

namespace tools::lkl_tool {

namespace {

std::string dump(const Json& value)
{
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool is_utf8(const Json& text)
{
    try {
        (void)text.dump();
        return true;
    } catch (const Json::type_error&) {
        return false;
    }
}

std::string hexadecimal(std::string_view bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text += {digits[byte >> 4], digits[byte & 15]};
    }
    return text;
}

}  // namespace

void set_bytes(Json& object, const std::string& key, std::string_view bytes)
{
    object[key] = bytes;
    if (!is_utf8(object[key]))
        object[key + "_hex"] = hexadecimal(bytes);
}

void set_stat(Json& object, const lkl::Stat& stat)
{
    object["type"] = type_name(stat.stx_mode);
    object["mode"] = octal_mode(stat.stx_mode);
    object["uid"] = stat.stx_uid;
    object["gid"] = stat.stx_gid;
    object["size"] = stat.stx_size;
    object["allocated"] = stat.stx_blocks * 512;
    object["links"] = stat.stx_nlink;
    object["inode"] = stat.stx_ino;
    const uint32_t type = stat.stx_mode & LKL_S_IFMT;
    if (type == LKL_S_IFCHR || type == LKL_S_IFBLK) {
        object["device_major"] = stat.stx_rdev_major;
        object["device_minor"] = stat.stx_rdev_minor;
    }
    object["modified"] = utc_time(stat.stx_mtime);
    object["accessed"] = utc_time(stat.stx_atime);
    object["changed"] = utc_time(stat.stx_ctime);
    if ((stat.stx_mask & LKL_STATX_BTIME) != 0)
        object["born"] = utc_time(stat.stx_btime);
}

void JsonList::add(const Json& element)
{
    if (!enabled_)
        return;
    out_.write(empty_ ? "[\n" : ",\n");
    empty_ = false;
    out_.write(dump(element));
}

void JsonList::finish()
{
    if (enabled_)
        out_.write(empty_ ? "[]\n" : "\n]\n");
}

}  // namespace tools::lkl_tool
