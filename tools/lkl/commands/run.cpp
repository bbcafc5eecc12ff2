// SPDX-License-Identifier: GPL-2.0-only
// lkl run: a program on a network stack of its own.
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "common/report.hpp"
#include "lkl/command.hpp"
#include "lkl/run/launch.hpp"
#include "lkl/run/options.hpp"
#include "lkl/run/program.hpp"

namespace tools::lkl_tool {

namespace {

class Run final : public Command {
public:
    explicit Run(CLI::App& parent) : parent_(parent), command_line_(parent) {}

    void run() override
    {
        for (const char* name : {"-P", "-t", "-o", "-p", "-m", "--no-sandbox"}) {
            if (parent_.get_option(name)->count() > 0)
                throw ToolError(ExitCode::usage, std::string("run: ") + name + " is for images");
        }
        const std::vector<std::string> words = command_line_.program();
        const lkl::config::Configuration configuration = command_line_.configuration();
        run::launch(run::find_program(words.front()), words, configuration);
    }

private:
    const CLI::App& parent_;
    run::Options command_line_;
};

}  // namespace

std::unique_ptr<Command> add_run(CLI::App& parent)
{
    return std::make_unique<Run>(parent);
}

}  // namespace tools::lkl_tool
