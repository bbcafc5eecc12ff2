// SPDX-License-Identifier: GPL-2.0-only
// What a copy has made, by the names that it made it by, where the file system takes
// different names for one: FAT "File" and "file", and "file." as well. Who makes the second
// of them would replace the first.
//
// No list of such file systems is needed: a name that is there is looked up with one letter in
// the other case. What is found, or a name that this cannot be tried with, has names remembered
// from there on; where it is not found, as nearly everywhere, this one look is all that it
// costs, once for a directory that was there before: what is made below it is like it.
// Inode numbers would not do, FAT's change while a file is not in memory. Nor would the names
// that the file system shows, which need not be those that it was given. So what counts is
// what names were given to it, and what was there before, by the names that it shows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include <lkl/file.hpp>

#include "common/tree/directory_stack.hpp"
#include "common/tree/host_file.hpp"

namespace tools {

// One thread. Takes some 40 bytes for each name that is remembered: a hash of its path. Who
// makes two names with one hash has the second of his own files replace the first.
// Names are those of what `level` is, a directory of the tree, whose path is `path`.
template <typename File>
class MadeNames {
public:
    using Level = typename DirectoryStack<File>::Level;

    // The directory has been entered; Level::made is known.
    void enter(Level& level, std::string_view path);

    // If there is something of that name which this copy has made by another one: what the
    // file system calls it. None: what is there, if anything is, may be replaced.
    std::optional<std::string> other(Level& level, std::string_view path, const std::string& name);
    // The name is there now, and this copy's.
    void add(Level& level, std::string_view path, const std::string& name);
    // It is not there any more.
    void remove(const Level& level, std::string_view path, std::string_view name);

private:
    void look(Level& level, std::string_view path, const std::string& name, bool is_new);
    std::optional<std::string> shown_name(const File& directory, uint64_t inode);

    // Paths: what is in them is known; known once, and then found to have exact names.
    std::unordered_set<uint64_t> directories_;
    std::unordered_set<uint64_t> exact_;
    std::unordered_set<uint64_t> made_;
    std::unordered_set<uint64_t> old_;  // that nothing was made in the place of
    // What the name that is being made replaces of these.
    uint64_t being_made_ = 0;
    std::optional<uint64_t> replaced_;
};

}  // namespace tools
