// SPDX-License-Identifier: GPL-2.0-only
// Lists a tree of a kernel, an entry a line, with all that there is to compare:
// manifest.py does the same for a tree of the host.
#pragma once

#include <functional>
#include <string>

#include <lkl/file.hpp>
#include <lkl/kernel.hpp>

namespace image_tree {

// Calls `line` with a JSON object for each entry below the directory and for the
// directory itself, whose path is ".". What cannot be read has its path and "error"
// alone.
void list_tree(lkl::Kernel& kernel, lkl::File directory,
               const std::function<void(const std::string&)>& line);

}  // namespace image_tree
