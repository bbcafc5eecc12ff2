// SPDX-License-Identifier: GPL-2.0-only
// Sources of a copy that are files of a mounted image.
#pragma once

#include <string>
#include <vector>

#include <lkl/file.hpp>

#include "common/mounted_image.hpp"
#include "common/tree/failures.hpp"
#include "common/tree/sources.hpp"
#include "common/tree/tree_reader.hpp"

namespace tools {

// Gives all sources, patterns among them, to the reader's sink, as files of `name` or, if
// that is empty, of their own. root: the image's.
void read_image_sources(TreeReader<lkl::File>& reader, MountedImage& image, const lkl::File& root,
                        const std::vector<std::string>& sources, const GivenName& name,
                        Failures& failures);

}  // namespace tools
