// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/sources.hpp"

#include <algorithm>
#include <memory>
#include <string_view>

#include <fnmatch.h>
#include <glob.h>
#include <lkl/asm/errno.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/stat.h>
#include <sys/stat.h>

#include "common/report.hpp"
#include "common/tree/image_directory.hpp"

namespace tools {

namespace {

bool has_wildcards(std::string_view text)
{
    return text.find_first_of("*?[") != std::string_view::npos;
}

std::string joined(const std::string& directory, std::string_view name)
{
    if (directory.empty() || directory.ends_with('/'))
        return directory + std::string(name);
    return directory + '/' + std::string(name);
}

// The names in a directory that match; sorted.
lkl::Result<std::vector<std::string>> matching(const lkl::File& root, const std::string& directory,
                                               const std::string& pattern)
{
    auto opened = root.open_in_root(directory.empty() ? "." : directory.c_str(),
                                    LKL_O_RDONLY | LKL_O_DIRECTORY);
    if (!opened)
        return std::move(opened).error();
    ImageDirectory entries(*std::move(opened));
    std::vector<std::string> names;
    for (;;) {
        const auto entry = entries.next();
        if (!entry)
            return entry.error();
        if (*entry == nullptr)
            break;
        if (fnmatch(pattern.c_str(), (*entry)->name, FNM_PERIOD) == 0)
            names.emplace_back((*entry)->name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

// What a pattern without a match says, not a fault of the image.
bool is_no_match(int code)
{
    return code == LKL_ENOENT || code == LKL_ENOTDIR || code == LKL_ELOOP;
}

}  // namespace

SourcePath split_source(const std::string& path)
{
    std::string_view rest = path;
    while (rest.size() > 1 && rest.ends_with('/'))
        rest.remove_suffix(1);
    const size_t slash = rest.rfind('/');
    const std::string_view name = slash == std::string_view::npos ? rest : rest.substr(slash + 1);
    SourcePath parts;
    if (name.empty() || name == "." || name == "..") {
        parts.directory = path;
    } else {
        parts.name = name;
        parts.directory = slash == std::string_view::npos ? "." : rest.substr(0, slash + 1);
    }
    return parts;
}

std::vector<std::string> source_names(const std::vector<std::string>& paths)
{
    std::vector<std::string> names;
    names.reserve(paths.size());
    for (const std::string& path : paths)
        names.push_back(split_source(path).name);
    return names;
}

bool may_have_name(const lkl::Stat& stat, const GivenName& name, const std::string& path,
                   Failures& failures)
{
    if (!name.of_directory || (stat.stx_mode & LKL_S_IFMT) == LKL_S_IFDIR)
        return true;
    failures.add_source(ToolError(ExitCode::path, escaped(path) + ": is no directory, as " +
                                                      escaped(name.name) + "/ would be")
                            .about(path));
    return false;
}

bool is_directory_path(const std::string& path)
{
    return path.ends_with('/') || split_source(path).name.empty();
}

std::vector<std::string> expand_on_host(const std::string& pattern)
{
    struct stat status;
    // What cannot be looked at is told when it is copied.
    if (!has_wildcards(pattern) || lstat(pattern.c_str(), &status) == 0)
        return {pattern};
    glob_t found{};
    std::vector<std::string> paths;
    if (glob(pattern.c_str(), 0, nullptr, &found) == 0)
        paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    globfree(&found);
    return paths;
}

lkl::Result<std::vector<std::string>> expand_in_image(const lkl::File& root,
                                                      const std::string& pattern)
{
    if (!has_wildcards(pattern) || root.open_in_root(pattern.c_str(), LKL_O_PATH | LKL_O_NOFOLLOW))
        return std::vector<std::string>{pattern};
    std::vector<std::string> paths{pattern.starts_with('/') ? "/" : ""};
    std::string_view rest = pattern;
    while (!rest.empty()) {
        const std::string part(rest.substr(0, rest.find('/')));
        rest.remove_prefix(std::min(part.size() + 1, rest.size()));
        if (part.empty())
            continue;
        std::vector<std::string> longer;
        for (const std::string& path : paths) {
            if (!has_wildcards(part)) {
                longer.push_back(joined(path, part));
                continue;
            }
            const auto names = matching(root, path, part);
            if (!names && !is_no_match(names.error().code))
                return names.error();
            if (!names)
                continue;
            for (const std::string& name : *names)
                longer.push_back(joined(path, name));
        }
        paths = std::move(longer);
    }
    std::erase_if(paths, [&root](const std::string& path) {
        const auto file = root.open_in_root(path.c_str(), LKL_O_PATH | LKL_O_NOFOLLOW);
        return !file && is_no_match(file.error().code);
    });
    return paths;
}

}  // namespace tools
