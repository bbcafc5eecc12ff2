// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/image/image.hpp"

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/stat.h>

#include "common/report.hpp"
#include "common/tree/sources.hpp"

namespace tools::lkl_tool {

namespace {

// What the path may be to blame for, and neither image nor disk.
bool is_fault_of_path(int code)
{
    constexpr std::array codes{LKL_ENOENT,    LKL_ENOTDIR, LKL_ELOOP,  LKL_EISDIR,
                               LKL_EEXIST,    LKL_EXDEV,   LKL_EINVAL, LKL_ENAMETOOLONG,
                               LKL_ENOTEMPTY, LKL_EPERM,   LKL_EBUSY,  LKL_EOPNOTSUPP,
                               LKL_ENXIO};
    return std::find(codes.begin(), codes.end(), code) != codes.end();
}

}  // namespace

std::string reason(const lkl::Error& error)
{
    return std::generic_category().message(error.code);
}

Image::Image(const ImageRequest& request, OpenedImage opened)
    : name_(request.shown()),
      host_file_(host_identity(opened.image.get())),
      writable_(request.writable),
      mounted_(
          std::make_unique<MountedImage>(request, choose_file_system(request, std::move(opened)))),
      root_(mounted_->open_root())
{
}

std::string Image::absolute(const std::string& path) const
{
    if (path.starts_with('/'))
        return path;
    if (path.empty())
        return directory_;
    return directory_.ends_with('/') ? directory_ + path : directory_ + '/' + path;
}

std::vector<std::string> Image::expand(const std::string& path) const
{
    const auto found = expand_in_image(root_, absolute(path));
    if (!found)
        throw failure(found.error(), path);
    if (found->empty())
        throw ToolError(ExitCode::path,
                        escaped(name_ + ':' + absolute(path)) + ": nothing matches in the image");
    return *found;
}

lkl::File Image::open(const std::string& path, int flags) const
{
    auto file = root_.open_in_root(absolute(path).c_str(), flags);
    if (!file)
        throw failure(file.error(), path);
    return *std::move(file);
}

lkl::Stat Image::stat(const std::string& path, bool follow, unsigned mask) const
{
    // A slash at the end follows as well: the path is that of a directory.
    const bool last = follow || path.ends_with('/');
    const auto stat = open(path, LKL_O_PATH | (last ? 0 : LKL_O_NOFOLLOW)).stat(mask);
    if (!stat)
        throw failure(stat.error(), path);
    return *stat;
}

Place Image::place(const std::string& path) const
{
    SourcePath parts = split_source(absolute(path));
    Place place;
    auto directory = root_.open_in_root(parts.directory.c_str(), LKL_O_RDONLY | LKL_O_DIRECTORY);
    if (!directory)
        throw failure(directory.error(), path);
    place.directory = *std::move(directory);
    place.name = parts.name.empty() ? "." : std::move(parts.name);
    if (!path.ends_with('/') || place.name == ".")
        return place;
    const auto stat = place.directory.stat_at(place.name.c_str());
    if (!stat || (stat->stx_mode & LKL_S_IFMT) == LKL_S_IFDIR)
        return place;
    return inside(path);
}

Place Image::named(const std::string& path) const
{
    Place found = place(path);
    if (found.name != ".")
        return found;
    const bool is_link = path.ends_with('/') && !split_source(absolute(path)).name.empty();
    throw ToolError(ExitCode::path,
                    escaped(name_ + ':' + absolute(path)) +
                        (is_link ? ": leads to a directory; without the slash it is the link"
                                 : ": the top directory, \".\" and \"..\" stay"));
}

Place Image::resolve(const std::string& path) const
{
    return follow(path, false);
}

Place Image::resolve_missing(const std::string& path) const
{
    return follow(path, true);
}

Place Image::follow(const std::string& path, bool may_be_missing) const
{
    constexpr int most_links = 40;  // as the kernel
    std::string current = absolute(path);
    for (int i = 0; i <= most_links; i++) {
        Place found = place(current);
        const auto stat = found.directory.stat_at(found.name.c_str());
        // What does not exist is no directory, as a slash at its end would say.
        if (!stat && may_be_missing && stat.error().code == LKL_ENOENT && !current.ends_with('/'))
            return found;
        if (!stat)
            throw failure(stat.error(), path);
        if ((stat->stx_mode & LKL_S_IFMT) != LKL_S_IFLNK)
            return found;
        const auto target = found.directory.read_link_at(found.name.c_str());
        if (!target)
            throw failure(target.error(), path);
        current = target->starts_with('/') ? *target
                                           : current.substr(0, current.rfind('/') + 1) + *target;
    }
    // The kernel says why.
    (void)stat(path, true, lkl::File::basic_stats);
    return place(path);
}

Place Image::inside(const std::string& path) const
{
    return {open(path, LKL_O_RDONLY | LKL_O_DIRECTORY), "."};
}

void Image::change_directory(const std::string& path)
{
    // ".." goes back by the names that led here, as in a shell: from a directory that is no
    // more as well.
    std::string result = path.starts_with('/') || directory_ == "/" ? "" : directory_;
    const auto look = [&] {
        (void)open(result.empty() ? "/" : result, LKL_O_RDONLY | LKL_O_DIRECTORY);
    };
    bool is_new = false;
    for (size_t start = 0; start < path.size();) {
        const size_t end = std::min(path.find('/', start), path.size());
        const std::string name = path.substr(start, end - start);
        start = end + 1;
        if (name == "..") {
            if (is_new)
                look();
            is_new = false;
            result.resize(result.empty() ? 0 : result.rfind('/'));
        } else if (!name.empty() && name != ".") {
            result += '/' + name;
            is_new = true;
        }
    }
    look();
    directory_ = result.empty() ? "/" : std::move(result);
}

ToolError Image::failure(const lkl::Error& error, std::string_view path) const
{
    const std::string whole = absolute(std::string(path));
    ToolError told = mounted_->failure(error, whole);
    if (told.code() == ExitCode::kernel || !is_fault_of_path(error.code))
        return told;
    return ToolError(ExitCode::path, escaped(name_ + ':' + whole) + ": " + reason(error))
        .about(whole);
}

void Image::finish()
{
    root_ = {};
    if (writable_)
        mounted_->unmount();
}

}  // namespace tools::lkl_tool
