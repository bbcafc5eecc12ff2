// SPDX-License-Identifier: GPL-2.0-only
// lkl run: a program on a network stack of its own.
#include <memory>

#include "common/report.hpp"
#include "lkl/command.hpp"
#include "lkl/run/launch.hpp"
#include "lkl/run/options.hpp"
#include "lkl/run/program.hpp"

namespace tools::lkl_tool {

namespace {

class Run final : public Command {
public:
    explicit Run(CLI::App& parent) : command_line_(parent) {}

    void run() override
    {
        if (options().image.partition || !options().image.type.empty())
            throw ToolError(ExitCode::usage, "run: -P and -t are for images");
        const std::vector<std::string> words = command_line_.program();
        const lkl::config::Configuration configuration = command_line_.configuration();
        run::launch(run::find_program(words.front()), words, configuration);
    }

private:
    run::Options command_line_;
};

}  // namespace

std::unique_ptr<Command> add_run(CLI::App& parent)
{
    return std::make_unique<Run>(parent);
}

}  // namespace tools::lkl_tool
