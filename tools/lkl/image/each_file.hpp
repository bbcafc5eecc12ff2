// SPDX-License-Identifier: GPL-2.0-only
// One change for each file of an operand: the file that the path leads to or, with all
// below it, a tree.
#pragma once

#include <functional>

#include "lkl/image/walk.hpp"
#include "lkl/image_command.hpp"

namespace tools::lkl_tool {

struct EachFileOptions {
    bool recursive = false;
    // The file that a symbolic link of an operand leads to; below, links are never
    // followed.
    bool follow = true;
};

// change() throws ToolError.
void change_each_file(const Operand& operand, const EachFileOptions& options, Problems& problems,
                      const std::function<void(const Visit&)>& change);

}  // namespace tools::lkl_tool
