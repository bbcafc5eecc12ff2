// SPDX-License-Identifier: GPL-2.0-only
// Which files are copied, and where to, in the way of cp -a SOURCE... DESTINATION.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <lkl/asm/errno.h>
#include <lkl/file.hpp>
#include <lkl/result.hpp>

#include "common/tree/failures.hpp"
#include "common/tree/host_file.hpp"

namespace tools {

// A source in parts: "usr/bin/" is "bin" in "usr". "usr/." and "/" have no name: what
// they contain is copied.
struct SourcePath {
    std::string directory;  // "." if the path has none
    std::string name;       // empty: what the directory contains
};
SourcePath split_source(const std::string& path);
// The names of sources.
std::vector<std::string> source_names(const std::vector<std::string>& paths);

// As for the system calls: with a slash at its end a path is that of a directory, to which
// a symbolic link leads; as well as one without a name.
bool is_directory_path(const std::string& path);

// The paths that a pattern of the shell matches (glob(7); sorted), or the pattern
// itself if there is a file of that name or it has no wildcards. None: nothing
// matches.
std::vector<std::string> expand_on_host(const std::string& pattern);
// The same in the tree below `root`; symbolic links on the way stay in it.
lkl::Result<std::vector<std::string>> expand_in_image(const lkl::File& root,
                                                      const std::string& pattern);

// What the only source is to be called; empty: sources keep their names.
struct GivenName {
    std::string name;
    bool of_directory = false;  // it had a slash behind it: no other file can have it
};

// Where sources go: to files of their names in a directory, or, if `name` is not
// empty, to that name in it.
template <typename File>
struct Target {
    File directory;
    std::string name;
    bool of_directory = false;  // as in GivenName

    GivenName given_name() const { return {name, of_directory}; }
};

// Whether such a file can have the name. Else it is a failure of the source.
bool may_have_name(const lkl::Stat& stat, const GivenName& name, const std::string& path,
                   Failures& failures);

// open(path) opens a directory. An existing directory is what sources go into; else
// the path is the name of the only source (many: it is an error).
template <typename File>
lkl::Result<Target<File>> find_target(const std::string& path, bool many,
                                      const std::function<lkl::Result<File>(const char*)>& open)
{
    Target<File> target;
    auto existing = open(path.c_str());
    if (existing) {
        target.directory = *std::move(existing);
        return target;
    }
    SourcePath parts = split_source(path);
    // What exists and has a slash behind it would have to be one.
    const bool is_other = path.ends_with('/') && existing.error().code != LKL_ENOENT;
    if (many || is_other || parts.name.empty())
        return std::move(existing).error();
    auto parent = open(parts.directory.c_str());
    if (!parent)
        return std::move(parent).error();
    target.directory = *std::move(parent);
    target.name = std::move(parts.name);
    target.of_directory = path.ends_with('/');
    return target;
}

}  // namespace tools
