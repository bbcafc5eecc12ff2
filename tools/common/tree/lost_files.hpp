// SPDX-License-Identifier: GPL-2.0-only
// Files of a tree that were to be made and are not there, though something else of their
// name may be: what is linked to them must not be linked to that.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

namespace tools {

// Paths in the tree, without slashes at their ends. One thread, but for contains().
class LostFiles {
public:
    // With all that is below it.
    void add(const std::string& path);
    // It has been made after all.
    void remove(const std::string& path);
    // Any thread.
    bool contains(std::string_view path) const;

private:
    mutable std::mutex lock_;  // who changes it may read it without
    std::unordered_set<std::string> paths_;
};

}  // namespace tools
