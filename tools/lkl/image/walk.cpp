// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/image/walk.hpp"

#include <algorithm>
#include <utility>

#include <lkl/linux/fcntl.h>
#include <lkl/linux/stat.h>

#include "common/tree/image_directory.hpp"

namespace tools::lkl_tool {

namespace {

constexpr int open_directory = LKL_O_RDONLY | LKL_O_DIRECTORY | LKL_O_NOFOLLOW;

}  // namespace

lkl::FileType file_type(const lkl::Stat& stat)
{
    return static_cast<lkl::FileType>((stat.stx_mode & LKL_S_IFMT) >> 12);
}

void Visitor::arrange(const Visit& directory, const lkl::File& opened,
                      std::vector<WalkEntry>& entries)
{
    (void)directory;
    (void)opened;
    (void)entries;
}

void Visitor::leave(const Visit& directory)
{
    (void)directory;
}

Walk::Walk(Image& image, Visitor& visitor, Problems& problems, unsigned mask)
    : image_(image), visitor_(visitor), problems_(problems), mask_(mask | identity_mask)
{
}

ToolError Walk::failure(const lkl::Error& error) const
{
    return image_.failure(error, path_);
}

void Walk::set_path(size_t length, std::string_view name)
{
    path_.resize(length);
    if (!path_.ends_with('/'))
        path_ += '/';
    path_ += name;
}

void Walk::run(Place start, const std::string& shown)
{
    path_ = shown;
    entered_.clear();
    levels_.clear();
    top_ = std::move(start.directory);
    visit(top_, start.name, true);
    // Between two files even a change can stop.
    while (!levels_.empty()) {
        Output::throw_if_interrupted();
        step();
    }
    top_ = {};
}

void Walk::step()
{
    Level& level = levels_.back();
    if (level.next == level.entries.size()) {
        leave();
        return;
    }
    const std::string name = std::move(level.entries[level.next++].name);
    set_path(level.path_length, name);
    visit(level.directory, name, level.next == level.entries.size());
}

// Visits path_, and enters it if it is a directory that is wanted.
void Walk::visit(const lkl::File& directory, const std::string& name, bool last)
{
    problems_.guarded([&] {
        const auto stat = directory.stat_at(name.c_str(), mask_);
        if (!stat)
            throw failure(stat.error());
        const bool wanted =
            visitor_.visit({directory, name.c_str(), path_, *stat, levels_.size(), last});
        if (!wanted || file_type(*stat) != lkl::FileType::directory)
            return;
        Level level;
        level.name = name;
        level.stat = *stat;
        level.last = last;
        level.path_length = path_.size();
        enter(directory, std::move(level));
    });
}

void Walk::enter(const lkl::File& directory, Level level)
{
    auto opened = directory.open_at(level.name.c_str(), open_directory);
    if (!opened)
        throw failure(opened.error());
    ImageDirectory reader(*std::move(opened));
    bool broken = false;
    for (;;) {
        const auto entry = reader.next();
        // What was read until then is shown.
        if (!entry) {
            problems_.add(failure(entry.error()));
            broken = true;
            break;
        }
        if (*entry == nullptr)
            break;
        level.entries.push_back({(*entry)->name, (*entry)->type});
    }
    // Two names for one directory are damage; where they lead to each other there would
    // be no end. Empty ones are harmless.
    if (!level.entries.empty() && !entered_.insert(identity_of(level.stat)).second)
        throw image_.mounted().damaged(path_, "is linked twice");
    std::sort(level.entries.begin(), level.entries.end(),
              [](const WalkEntry& a, const WalkEntry& b) { return a.name < b.name; });
    // A directory without an end has them many times.
    if (broken)
        level.entries.erase(
            std::unique(level.entries.begin(), level.entries.end(),
                        [](const WalkEntry& a, const WalkEntry& b) { return a.name == b.name; }),
            level.entries.end());
    level.directory = reader.release();
    const Visit visit{directory, level.name.c_str(), path_, level.stat, levels_.size(), level.last};
    visitor_.arrange(visit, level.directory, level.entries);
    levels_.push_back(std::move(level));
    if (levels_.size() > open_levels)
        levels_[levels_.size() - 1 - open_levels].directory = {};
}

// The way up is the way that led down. An error on it ends all: nothing can follow.
void Walk::leave()
{
    const Level finished = std::move(levels_.back());
    levels_.pop_back();
    path_.resize(finished.path_length);
    if (!levels_.empty() && !levels_.back().directory.is_open()) {
        auto parent = finished.directory.open_at("..", open_directory);
        if (!parent)
            throw failure(parent.error());
        const auto stat = parent->stat(identity_mask);
        if (!stat)
            throw failure(stat.error());
        if (identity_of(*stat) != identity_of(levels_.back().stat))
            throw image_.mounted().damaged(path_, "is not where it was");
        levels_.back().directory = *std::move(parent);
    }
    const lkl::File& directory = levels_.empty() ? top_ : levels_.back().directory;
    problems_.guarded([&] {
        visitor_.leave({directory, finished.name.c_str(), path_, finished.stat, levels_.size(),
                        finished.last});
    });
}

}  // namespace tools::lkl_tool
