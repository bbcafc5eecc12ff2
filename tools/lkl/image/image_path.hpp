// SPDX-License-Identifier: GPL-2.0-only
// IMAGE[:PATH]: an image of the host and a path in it.
#pragma once

#include <optional>
#include <string>

namespace tools::lkl_tool {

struct ImagePath {
    std::string image;  // path of the host
    std::string path;   // in the image; empty: none was given
    bool has_path = false;
};

// The longest beginning of the argument that is the name of an existing file and is
// followed by a colon or nothing is the image. Where there is none, what stands before
// the first colon is, and opening it says why not.
ImagePath parse_image_path(const std::string& argument);

// None: the argument is a path of the host. An image needs a colon behind it, since a
// path without one may as well be a file to copy.
std::optional<ImagePath> parse_either_side(const std::string& argument);

}  // namespace tools::lkl_tool
