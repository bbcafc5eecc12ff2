// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/host_sources.hpp"

#include <utility>

#include <lkl/linux/fcntl.h>

#include "common/report.hpp"
#include "common/tree/identity.hpp"
#include "common/tree/sources.hpp"

namespace tools {

namespace {

void read_host_source(TreeReader<HostFile>& reader, const GivenName& name, const std::string& path,
                      Failures& failures)
{
    const SourcePath source = split_source(path);
    const bool contents = is_directory_path(path);
    const std::string& opened = contents ? path : source.directory;
    // Of a directory that is only on the way nothing is read.
    const int access = contents ? LKL_O_RDONLY : LKL_O_PATH;
    auto directory = HostFile::open(opened.c_str(), access | LKL_O_DIRECTORY);
    const auto stat = !directory ? lkl::Result<lkl::Stat>(directory.error())
                      : contents ? directory->stat(identity_mask)
                                 : directory->stat_at(source.name.c_str(), identity_mask);
    if (!stat) {
        failures.add_source(
            ToolError(ExitCode::path, escaped(path) + ": cannot " + escaped(stat.error().what))
                .about(path));
        return;
    }
    if (!may_have_name(*stat, name, path, failures))
        return;
    failures.found_source();
    const std::string& given = name.name.empty() ? source.name : name.name;
    if (contents)
        reader.read_directory(*std::move(directory), given, path);
    else
        reader.read(*std::move(directory), source.name, given, path);
}

}  // namespace

std::vector<std::string> expand_host_sources(const std::vector<std::string>& sources,
                                             Failures& failures)
{
    std::vector<std::string> paths;
    for (const std::string& source : sources) {
        std::vector<std::string> found = expand_on_host(source);
        if (found.empty())
            failures.add_source(
                ToolError(ExitCode::path, escaped(source) + ": nothing matches").about(source));
        paths.insert(paths.end(), found.begin(), found.end());
    }
    return paths;
}

std::string readable_part(const std::string& path)
{
    const SourcePath source = split_source(path);
    return is_directory_path(path) ? path : source.directory + '/' + source.name;
}

void read_host_sources(TreeReader<HostFile>& reader, const std::vector<std::string>& paths,
                       const GivenName& name, Failures& failures)
{
    reader.expect(source_names(paths));
    for (const std::string& path : paths)
        read_host_source(reader, name, path, failures);
}

}  // namespace tools
