// SPDX-License-Identifier: GPL-2.0-only
// The directory of a tree in which files are made, and those above it.
//
// Every step down is one name, opened without following symbolic links: whatever a
// path of the source says, and whatever symbolic links are in the tree, nothing
// outside the tree is reached.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <lkl/file.hpp>
#include <lkl/result.hpp>

#include "common/tree/entry.hpp"
#include "common/tree/identity.hpp"

namespace tools {

// Whether different names in a directory may mean the same file.
enum class NameRule { unknown, exact, folded };

// One thread. File is lkl::File or HostFile.
template <typename File>
class DirectoryStack {
public:
    struct Level {
        File directory;
        std::string name;
        size_t path_length = 0;  // of path(), with this directory
        Identity identity;       // known when the descriptor is closed
        // What is made here gets a group or ACLs from the directory.
        bool inherits = false;
        // What the directory gets when nothing more is made in it.
        bool settle = false;
        bool made = false;  // it did not exist before
        NameRule names = NameRule::unknown;
        Entry entry;  // if settle
    };
    // Called for each directory that is left; its level is open.
    using Leave = std::function<void(Level& level, std::string_view path)>;

    DirectoryStack(File top, Leave leave);

    Level& current() { return levels_.back(); }
    Level& top() { return levels_.front(); }
    // Of the current directory, without slashes at its ends.
    const std::string& path() const { return path_; }

    // Leaves directories until `path` is the current one or below it. Returns what of
    // the path is still to go.
    lkl::Result<std::string_view> climb_to(std::string_view path);
    // Makes a directory that exists in the current one the current one.
    lkl::Result<void> descend(std::string_view name);
    // Leaves the current directory, which is not the top.
    lkl::Result<void> ascend();

    // Another directory of the tree, by its path.
    lkl::Result<File> open(std::string_view path);

private:
    // Levels that keep their descriptor, beside the top; the others find back by "..".
    static constexpr size_t open_levels = 64;

    const Leave leave_;
    std::vector<Level> levels_;
    std::string path_;
};

// False for what is no name in a directory: it could lead elsewhere.
bool is_name(std::string_view name);

// Takes the first name off a path.
std::string_view take_name(std::string_view& path);

}  // namespace tools
