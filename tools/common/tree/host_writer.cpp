// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/host_writer.hpp"

#include <algorithm>
#include <utility>

#include <lkl/linux/fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/named_descriptor.hpp"
#include "common/report.hpp"
#include "common/tree/entry_pipe.hpp"
#include "common/tree/tree_writer.hpp"
#include "common/umask.hpp"

namespace tools {

namespace {

// Many: the destination must exist, since it cannot be one file's name.
bool may_be_many(const std::vector<std::string>& sources)
{
    return sources.size() > 1 || sources.front().find_first_of("*?[") != std::string::npos;
}

}  // namespace

HostTop open_host_top(const std::string& destination, const std::vector<std::string>& sources)
{
    auto target = find_target<HostFile>(destination, may_be_many(sources), [](const char* name) {
        return HostFile::open(name, LKL_O_RDONLY | LKL_O_DIRECTORY);
    });
    if (!target)
        throw ToolError(ExitCode::output,
                        escaped(destination) + ": cannot " + escaped(target.error().what));
    HostTop top{*std::move(target), destination};
    if (top.name.empty())
        return top;
    // Nobody who names it wants a file in the place of /dev/stdout or /dev/null.
    if (named_descriptor(destination))
        throw ToolError(ExitCode::output,
                        escaped(destination) + ": is an open descriptor, and no file");
    struct stat status;
    if (stat(destination.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
        throw ToolError(ExitCode::output, escaped(destination) + ": is no regular file");
    top.path = split_source(destination).directory;
    return top;
}

void write_host(HostTop top, const std::vector<Identity>& kept, Failures& failures,
                const std::function<void(EntrySink&)>& give)
{
    const NoUmask modes_are_those_of_the_source;
    WriteOptions options;
    options.uid = geteuid();
    options.gid = getegid();
    options.kept = kept;
    const std::string& path = top.path;
    const std::string shown = path == "." ? "" : path.ends_with('/') ? path : path + '/';
    if (!top.name.empty()) {
        const auto stat = top.directory.stat_at(top.name.c_str(), identity_mask, 0);
        if (stat && std::ranges::find(kept, identity_of(*stat)) != kept.end())
            throw ToolError(ExitCode::usage, escaped(shown + top.name) + ": is the image itself");
    }
    const HostErrorTexts texts(shown, ExitCode::output);
    TreeWriter<HostFile> writer(std::move(top.directory), options, texts, failures);
    EntryPipe pipe(writer);
    give(pipe);
    pipe.finish();
}

}  // namespace tools
