// SPDX-License-Identifier: GPL-2.0-only
// Copies between host and images, within one image, and from one to another: with all
// that cp -a keeps.
#pragma once

#include <string>
#include <vector>

#include "common/tree/failures.hpp"
#include "common/tree/host_writer.hpp"
#include "lkl/image/image.hpp"

namespace tools::lkl_tool {

struct CopyOptions {
    bool recursive = false;  // without it, directories are failures
    bool quiet = false;      // no progress bar
};

// Paths in images may be relative, as Image has it. What fails of single files goes to
// `failures`; ToolError is thrown when nothing can follow.

// paths: patterns are expanded.
void copy_from_host(const std::vector<std::string>& paths, Image& to,
                    const std::string& destination, const CopyOptions& options, Failures& failures);
void copy_to_host(Image& from, const std::vector<std::string>& sources, HostTop top,
                  const CopyOptions& options, Failures& failures);
// from and to may be the same.
void copy_between(Image& from, const std::vector<std::string>& sources, Image& to,
                  const std::string& destination, const CopyOptions& options, Failures& failures);

}  // namespace tools::lkl_tool
