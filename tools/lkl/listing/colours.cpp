// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/listing/colours.hpp"

#include "lkl/image/walk.hpp"

namespace tools::lkl_tool {

namespace {

// Codes of ECMA-48's "select graphic rendition"; empty: as all text.
const char* colour_of(const lkl::Stat& stat)
{
    switch (file_type(stat)) {
    case lkl::FileType::directory:
        return "01;34";
    case lkl::FileType::symbolic_link:
        return "01;36";
    case lkl::FileType::character_device:
    case lkl::FileType::block_device:
        return "40;33;01";
    case lkl::FileType::fifo:
        return "40;33";
    case lkl::FileType::socket:
        return "01;35";
    default:
        break;
    }
    if ((stat.stx_mode & LKL_S_ISUID) != 0)
        return "37;41";
    if ((stat.stx_mode & LKL_S_ISGID) != 0)
        return "30;43";
    return (stat.stx_mode & 0111) != 0 ? "01;32" : "";
}

}  // namespace

std::string in_colour(const std::string& text, const lkl::Stat& stat)
{
    const std::string colour = colour_of(stat);
    return colour.empty() ? text : "\033[" + colour + 'm' + text + "\033[0m";
}

}  // namespace tools::lkl_tool
