// SPDX-License-Identifier: GPL-2.0-only
// IMAGE[@N][:PATH]: an image of the host, a partition of it, and a path in that.
#pragma once

#include <optional>
#include <string>

namespace tools::lkl_tool {

struct ImagePath {
    std::string image;  // path of the host, and @N if it was given
    std::string path;   // in the image; empty: none was given
    bool has_path = false;
};

struct PartitionName {
    std::string file;                   // path of the host
    std::optional<unsigned> partition;  // 0: the whole disk; none: no number was given
};

// What ImagePath::image means. A file that exists by the whole name is that, whatever
// number its name ends with.
PartitionName split_partition(const std::string& image);

// The longest beginning of the argument that names an existing file, or a partition of
// one, and is followed by a colon or nothing is the image. Where there is none, what stands before
// the first colon is, and opening it says why not.
ImagePath parse_image_path(const std::string& argument);

// None: the argument is a path of the host. An image needs a colon behind it, since a
// path without one may as well be a file to copy.
std::optional<ImagePath> parse_either_side(const std::string& argument);

}  // namespace tools::lkl_tool
