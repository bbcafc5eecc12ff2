// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/directory_stack.hpp"

#include <algorithm>
#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/linux/fcntl.h>

#include "common/tree/host_file.hpp"

namespace tools {

namespace {

constexpr int open_directory = LKL_O_RDONLY | LKL_O_DIRECTORY | LKL_O_NOFOLLOW;

lkl::Error not_a_name(std::string_view name)
{
    lkl::Error error;
    error.code = LKL_EINVAL;
    error.what = "use \"" + std::string(name) + "\" as a name";
    return error;
}

}  // namespace

bool is_name(std::string_view name)
{
    return !name.empty() && name != "." && name != ".." &&
           name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}

std::string_view take_name(std::string_view& path)
{
    const std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(name.size() + 1, path.size()));
    return name;
}

template <typename File>
DirectoryStack<File>::DirectoryStack(File top, Leave leave) : leave_(std::move(leave))
{
    levels_.emplace_back().directory = std::move(top);
}

template <typename File>
lkl::Result<std::string_view> DirectoryStack<File>::climb_to(std::string_view path)
{
    const auto leads_to = [path](std::string_view directory) {
        return directory.empty() || path == directory ||
               (path.starts_with(directory) && path[directory.size()] == '/');
    };
    while (!leads_to(path_)) {
        if (auto left = ascend(); !left)
            return std::move(left).error();
    }
    path.remove_prefix(path_.empty() ? 0 : std::min(path_.size() + 1, path.size()));
    return path;
}

template <typename File>
lkl::Result<void> DirectoryStack<File>::descend(std::string_view name)
{
    if (!is_name(name))
        return not_a_name(name);
    std::string text(name);
    auto directory = current().directory.open_at(text.c_str(), open_directory);
    if (!directory)
        return std::move(directory).error();
    const bool inherits = current().inherits;
    const NameRule names = current().names;
    Level& level = levels_.emplace_back();
    level.directory = *std::move(directory);
    level.inherits = inherits;
    level.names = names;
    level.name = std::move(text);
    if (!path_.empty())
        path_ += '/';
    path_ += name;
    level.path_length = path_.size();
    if (levels_.size() > open_levels + 1) {
        Level& distant = levels_[levels_.size() - 1 - open_levels];
        if (!distant.directory.is_open())
            return {};
        auto stat = distant.directory.stat(identity_mask);
        if (!stat)
            return std::move(stat).error();
        distant.identity = identity_of(*stat);
        distant.directory = {};
    }
    return {};
}

template <typename File>
lkl::Result<void> DirectoryStack<File>::ascend()
{
    Level& above = levels_[levels_.size() - 2];
    if (!above.directory.is_open()) {
        auto directory = current().directory.open_at("..", open_directory);
        if (!directory)
            return std::move(directory).error();
        auto stat = directory->stat(identity_mask);
        if (!stat)
            return std::move(stat).error();
        if (identity_of(*stat) != above.identity) {
            lkl::Error moved;
            moved.code = LKL_ESTALE;
            moved.what = "find back: directories were moved";
            return moved;
        }
        above.directory = *std::move(directory);
    }
    leave_(current(), path_);
    levels_.pop_back();
    path_.resize(current().path_length);
    return {};
}

template <typename File>
lkl::Result<File> DirectoryStack<File>::open(std::string_view path)
{
    lkl::Result<File> directory = top().directory.open_at(".", open_directory);
    while (directory && !path.empty()) {
        const std::string name(take_name(path));
        if (!is_name(name))
            return not_a_name(name);
        directory = directory->open_at(name.c_str(), open_directory);
    }
    return directory;
}

template class DirectoryStack<lkl::File>;
template class DirectoryStack<HostFile>;

}  // namespace tools
