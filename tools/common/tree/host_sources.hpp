// SPDX-License-Identifier: GPL-2.0-only
// Sources of a copy that are files of the host.
#pragma once

#include <string>
#include <vector>

#include "common/tree/failures.hpp"
#include "common/tree/host_file.hpp"
#include "common/tree/sources.hpp"
#include "common/tree/tree_reader.hpp"

namespace tools {

// Sources with their patterns replaced by what matches; a pattern without a match is a
// failure.
std::vector<std::string> expand_host_sources(const std::vector<std::string>& sources,
                                             Failures& failures);

// What is read of a source, for the sandbox: of a symbolic link without a slash behind it,
// the link itself.
std::string readable_part(const std::string& path);

// Gives all sources, without patterns, to the reader's sink, as files of `name` or, if that is
// empty, of their own.
void read_host_sources(TreeReader<HostFile>& reader, const std::vector<std::string>& paths,
                       const GivenName& name, Failures& failures);

}  // namespace tools
