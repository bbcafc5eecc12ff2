// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/image_sources.hpp"

#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/linux/fcntl.h>

#include "common/report.hpp"
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
            failures.add(image.failure(found.error(), source));
        else if (found->empty())
            failures.add(
                ToolError(ExitCode::path, escaped(source) + ": nothing matches in the image")
                    .about(source));
        else
            paths.insert(paths.end(), found->begin(), found->end());
    }
    return paths;
}

}  // namespace

void read_image_sources(TreeReader<lkl::File>& reader, MountedImage& image, const lkl::File& root,
                        const std::vector<std::string>& sources, const std::string& name,
                        Failures& failures)
{
    for (const std::string& path : expand(image, root, sources, failures)) {
        const SourcePath source = split_source(path);
        auto directory =
            root.open_in_root(source.directory.c_str(), LKL_O_RDONLY | LKL_O_DIRECTORY);
        if (!directory) {
            const int code = directory.error().code;
            if (code == LKL_ENOENT || code == LKL_ENOTDIR)
                failures.add(
                    ToolError(ExitCode::path, escaped(path) + ": no such file in the image")
                        .about(path));
            else
                failures.add(image.failure(directory.error(), path));
            continue;
        }
        if (source.name.empty())
            reader.read_directory(*std::move(directory), name, path);
        else
            reader.read(*std::move(directory), source.name, name.empty() ? source.name : name,
                        path);
    }
}

}  // namespace tools
