// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/run/program.hpp"

#include "common/report.hpp"
#include "hijack/programs/preloadable.hpp"

namespace tools::run {

using hijack::programs::Objection;

std::string find_program(const std::string& name)
{
    std::string path = hijack::programs::look_up(name);
    if (path.empty())
        throw ToolError(ExitCode::path, "run: " + escaped(name) + ": not found");
    if (const auto objection = hijack::programs::objection(path)) {
        const bool not_there = objection->kind == Objection::Kind::not_there;
        throw ToolError(not_there ? ExitCode::path : ExitCode::usage,
                        "run: " + escaped(objection->path) + ": " + objection->why);
    }
    return path;
}

}  // namespace tools::run
