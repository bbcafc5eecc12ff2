// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/host_sources.hpp"

#include <utility>

#include <lkl/linux/fcntl.h>

#include "common/report.hpp"
#include "common/tree/sources.hpp"

namespace tools {

std::vector<std::string> expand_host_sources(const std::vector<std::string>& sources,
                                             Failures& failures)
{
    std::vector<std::string> paths;
    for (const std::string& source : sources) {
        std::vector<std::string> found = expand_on_host(source);
        if (found.empty())
            failures.add(
                ToolError(ExitCode::path, escaped(source) + ": nothing matches").about(source));
        paths.insert(paths.end(), found.begin(), found.end());
    }
    return paths;
}

std::string readable_part(const std::string& path)
{
    const SourcePath source = split_source(path);
    return source.name.empty() ? path : source.directory + '/' + source.name;
}

void read_host_source(TreeReader<HostFile>& reader, const std::string& name,
                      const std::string& path, Failures& failures)
{
    const SourcePath source = split_source(path);
    // Of a directory that is only on the way nothing is read.
    const int access = source.name.empty() ? LKL_O_RDONLY : LKL_O_PATH;
    auto directory = HostFile::open(source.directory.c_str(), access | LKL_O_DIRECTORY);
    if (!directory) {
        failures.add(
            ToolError(ExitCode::path, escaped(path) + ": cannot " + escaped(directory.error().what))
                .about(path));
        return;
    }
    if (source.name.empty())
        reader.read_directory(*std::move(directory), name, path);
    else
        reader.read(*std::move(directory), source.name, name.empty() ? source.name : name, path);
}

}  // namespace tools
