// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/output/json.hpp"

#include <lkl/linux/stat.h>

#include "lkl/output/format.hpp"

namespace tools::lkl_tool {

void set_stat(JsonObject& object, const lkl::Stat& stat)
{
    object.set("type", type_name(stat.stx_mode));
    object.set("mode", octal_mode(stat.stx_mode));
    object.set("uid", stat.stx_uid);
    object.set("gid", stat.stx_gid);
    object.set("size", stat.stx_size);
    object.set("allocated", stat.stx_blocks * 512);
    object.set("links", stat.stx_nlink);
    object.set("inode", stat.stx_ino);
    const uint32_t type = stat.stx_mode & LKL_S_IFMT;
    if (type == LKL_S_IFCHR || type == LKL_S_IFBLK) {
        object.set("device_major", stat.stx_rdev_major);
        object.set("device_minor", stat.stx_rdev_minor);
    }
    object.set("modified", utc_time(stat.stx_mtime));
    object.set("accessed", utc_time(stat.stx_atime));
    object.set("changed", utc_time(stat.stx_ctime));
    if ((stat.stx_mask & LKL_STATX_BTIME) != 0)
        object.set("born", utc_time(stat.stx_btime));
}

void JsonList::add(const JsonObject& element)
{
    if (!enabled_)
        return;
    out_.write(empty_ ? "[\n" : ",\n");
    empty_ = false;
    out_.write(element.text());
}

void JsonList::finish()
{
    if (enabled_)
        out_.write(empty_ ? "[]\n" : "\n]\n");
}

}  // namespace tools::lkl_tool
