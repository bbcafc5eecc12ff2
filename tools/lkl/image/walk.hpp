// SPDX-License-Identifier: GPL-2.0-only
// Walks a tree of an image: a directory, then what it contains, by name. No path is too
// long and no tree too deep; symbolic links are not followed; a directory that a damaged
// file system shows at two places is entered once.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <lkl/file.hpp>

#include "common/tree/identity.hpp"
#include "lkl/image/image.hpp"
#include "lkl/output/problems.hpp"

namespace tools::lkl_tool {

// A file on the way. References are good until the function that gets it returns.
struct Visit {
    const lkl::File& directory;  // that the file is in
    const char* name;            // in it
    const std::string& path;     // begins with the operand's
    const lkl::Stat& stat;
    size_t depth = 0;   // 0: the operand itself
    bool last = false;  // of its directory
};

struct WalkEntry {
    std::string name;
    lkl::FileType type = lkl::FileType::unknown;
};

lkl::FileType file_type(const lkl::Stat& stat);

// What a command does with the files. What it throws, if it is a ToolError, is a problem
// of the one file.
class Visitor {
public:
    virtual ~Visitor() = default;
    // False: if it is a directory, it is not entered.
    virtual bool visit(const Visit& file) = 0;
    // A directory that is entered, and its entries sorted by name: those that are left
    // are visited, in their order.
    virtual void arrange(const Visit& directory, const lkl::File& opened,
                         std::vector<WalkEntry>& entries);
    // A directory that was entered, after all that it contains.
    virtual void leave(const Visit& directory);
};

// One thread.
class Walk {
public:
    // All references are kept. mask: what Visit::stat holds beside identity_mask.
    Walk(Image& image, Visitor& visitor, Problems& problems, unsigned mask = 0);

    // shown: how paths begin. Throws ToolError when nothing can follow.
    void run(Place start, const std::string& shown);

private:
    struct Level {
        lkl::File directory;  // open: unless there are many below it
        std::string name;     // in the one above
        lkl::Stat stat{};
        bool last = false;
        size_t path_length = 0;  // of path_ with this directory
        std::vector<WalkEntry> entries;
        size_t next = 0;
    };
    // Levels that keep their descriptor, beside the first; the others find back by "..".
    static constexpr size_t open_levels = 64;

    void visit(const lkl::File& directory, const std::string& name, bool last);
    void enter(const lkl::File& directory, Level level);
    void leave();
    void step();
    void set_path(size_t length, std::string_view name);
    ToolError failure(const lkl::Error& error) const;

    Image& image_;
    Visitor& visitor_;
    Problems& problems_;
    const unsigned mask_;
    std::string path_;
    lkl::File top_;
    std::vector<Level> levels_;
    std::unordered_set<Identity, HashIdentity> entered_;
};

}  // namespace tools::lkl_tool
