// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/image_sources.hpp"

#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/linux/fcntl.h>

#include "common/report.hpp"
#include "common/tree/identity.hpp"
#include "common/tree/sources.hpp"

namespace tools {

namespace {

// Sources with their patterns replaced by what matches.
std::vector<std::string> expand(MountedImage& image, const lkl::File& root,
                                const std::vector<std::string>& sources, Failures& failures)
{
    std::vector<std::string> paths;
    for (const std::string& source : sources) {
        const auto found = expand_in_image(root, source);
        if (!found)
            failures.add_source(image.failure(found.error(), source));
        else if (found->empty())
            failures.add_source(
                ToolError(ExitCode::path, escaped(source) + ": nothing matches in the image")
                    .about(source));
        else
            paths.insert(paths.end(), found->begin(), found->end());
    }
    return paths;
}

ToolError failure_of_source(const MountedImage& image, const std::string& path,
                            const lkl::Error& error)
{
    if (error.code == LKL_ENOENT || error.code == LKL_ENOTDIR)
        return ToolError(ExitCode::path, escaped(path) + ": no such file in the image").about(path);
    return image.failure(error, path);
}

}  // namespace

void read_image_sources(TreeReader<lkl::File>& reader, MountedImage& image, const lkl::File& root,
                        const std::vector<std::string>& sources, const GivenName& name,
                        Failures& failures)
{
    const std::vector<std::string> paths = expand(image, root, sources, failures);
    reader.expect(source_names(paths));
    for (const std::string& path : paths) {
        const SourcePath source = split_source(path);
        const bool contents = is_directory_path(path);
        const std::string& opened = contents ? path : source.directory;
        auto directory = root.open_in_root(opened.c_str(), LKL_O_RDONLY | LKL_O_DIRECTORY);
        const auto stat = !directory ? lkl::Result<lkl::Stat>(directory.error())
                          : contents ? directory->stat(identity_mask)
                                     : directory->stat_at(source.name.c_str(), identity_mask);
        if (!stat) {
            failures.add_source(failure_of_source(image, path, stat.error()));
            continue;
        }
        if (!may_have_name(*stat, name, path, failures))
            continue;
        failures.found_source();
        const std::string& given = name.name.empty() ? source.name : name.name;
        if (contents)
            reader.read_directory(*std::move(directory), given, path);
        else
            reader.read(*std::move(directory), source.name, given, path);
    }
}

}  // namespace tools
