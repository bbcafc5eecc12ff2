// SPDX-License-Identifier: GPL-2.0-only
// lkl shell: commands one after the other, on an image that stays open.
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "common/report.hpp"
#include "lkl/command.hpp"
#include "lkl/commands.hpp"
#include "lkl/image/image_path.hpp"
#include "lkl/process/child.hpp"
#include "lkl/shell/channel.hpp"
#include "lkl/shell/line_input.hpp"
#include "lkl/shell/words.hpp"
#include "lkl/shell/worker.hpp"

namespace tools::lkl_tool {

namespace {

// For a signal handler, which knows no object.
int requests = -1;
pid_t worker_process = 0;

// As the signal would, but when the image is complete, which the worker sees to: who waits for
// the shell finds it so. The command that runs ends as by Ctrl-C, and no other one follows.
void end_shell(int signal)
{
    close(requests);
    if (waitpid(worker_process, nullptr, WNOHANG) == 0) {
        kill(worker_process, SIGINT);
        while (waitpid(worker_process, nullptr, 0) < 0 && errno == EINTR) {}
    }
    std::signal(signal, SIG_DFL);
    raise(signal);  // arrives when this has returned
}

// But for what is ignored, as nohup(1) has it.
void end_on_signals(const Channel& channel, const Child& worker)
{
    requests = channel.descriptor();
    worker_process = worker.process();
    struct sigaction action {};
    action.sa_handler = end_shell;
    sigemptyset(&action.sa_mask);
    for (const int signal : ending_signals)
        sigaddset(&action.sa_mask, signal);
    for (const int signal : ending_signals) {
        struct sigaction before {};
        if (sigaction(signal, nullptr, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(signal, &action, nullptr);
    }
}

class Shell final : public Command {
public:
    explicit Shell(CLI::App& parent)
    {
        Subcommand command(parent, "shell", "Run commands on an image that stays open");
        command.operands(operands_, "IMAGE[:PATH]", "A disk image, and where to begin");
        command.flag("-w,--write", options_.writable, "Open it for writing");
        command.option("--host-directory", options_.host_directory, "DIRECTORY",
                       "What get and put reach on the host, with all below it; else the working "
                       "directory");
        command.notes(
            "The command \"help\" shows what there is. From a pipe, the first failure "
            "gives the exit code.\n"
            "Example: echo 'ls -l /etc' | lkl shell disk.img");
    }

    void run() override;

private:
    int read_lines(const Channel& channel);
    // The exit code of one line; none: the end.
    std::optional<int> execute(const Channel& channel, const std::string& line);
    std::optional<int> ask(const Channel& channel, const std::string& line);

    std::vector<std::string> operands_;
    ShellOptions options_;
};

// "!COMMAND" runs outside of the sandbox: in the process that never sees the image.
int run_on_host(const std::string& command)
{
    // Ctrl-C is for the program.
    std::signal(SIGINT, SIG_DFL);
    const int status = std::system(command.c_str());
    std::signal(SIGINT, SIG_IGN);
    return WIFEXITED(status) ? WEXITSTATUS(status) : static_cast<int>(ExitCode::internal);
}

std::vector<std::string> all_names()
{
    std::vector<std::string> names = builtin_names();
    for (const CommandEntry& entry : all_commands())
        names.emplace_back(entry.name);
    return names;
}

std::vector<std::string> complete(const Channel& channel, const std::string& word)
{
    std::vector<std::string> names;
    if (!channel.send(static_cast<char>(Request::complete) + word))
        return names;
    const auto reply = channel.receive();
    if (!reply)
        return names;
    for (size_t start = 0, end = 0; (end = reply->find('\0', start)) != std::string::npos;
         start = end + 1) {
        if (end > start)
            names.push_back(reply->substr(start, end - start));
    }
    return names;
}

std::optional<int> Shell::ask(const Channel& channel, const std::string& line)
{
    if (!channel.send(static_cast<char>(Request::run) + line))
        return std::nullopt;
    const auto reply = channel.receive();
    if (!reply)
        return std::nullopt;
    return std::atoi(reply->c_str());
}

std::optional<int> Shell::execute(const Channel& channel, const std::string& line)
{
    const size_t start = line.find_first_not_of(" \t");
    if (start == std::string::npos)
        return 0;
    if (line[start] == '!')
        return run_on_host(line.substr(start + 1));
    try {
        const std::vector<std::string> words = split_words(line);
        if (words.empty())
            return 0;
        if (words.front() == "exit" || words.front() == "quit")
            return std::nullopt;
        // Both processes go there: "!" runs in this one.
        if (words.front() == "lcd" && words.size() == 2 && chdir(words[1].c_str()) != 0)
            throw ToolError(ExitCode::path, "lcd: " + escaped(words[1]) + ": no such directory");
    } catch (const ToolError& error) {
        report(error.what());
        return static_cast<int>(error.code());
    }
    return ask(channel, line);
}

// Returns the first failure's exit code.
int Shell::read_lines(const Channel& channel)
{
    LineInput input(all_names(),
                    [&channel](const std::string& word) { return complete(channel, word); });
    int first_failure = 0;
    while (const auto line = input.read("lkl> ")) {
        const auto code = execute(channel, *line);
        if (!code)
            break;
        if (first_failure == 0)
            first_failure = *code;
    }
    // A person has seen it.
    return input.terminal() ? 0 : first_failure;
}

void Shell::run()
{
    if (operands_.size() != 1)
        throw ToolError(ExitCode::usage,
                        "one image is needed (lkl shell --help shows the options)");
    const ImagePath operand = parse_image_path(operands_.front());
    options_.image = operand.image;
    options_.directory = operand.path;
    // No structured binding: clang 14 lets no lambda take one.
    auto ends = Channel::make_pair();
    Channel &here = ends.first, &there = ends.second;
    Child worker([&] {
        // This end is the other one's: else nobody would see that it is closed.
        here = Channel(Descriptor());
        serve(options(), options_, std::move(there));
    });
    there = Channel(Descriptor());
    std::signal(SIGINT, SIG_IGN);
    end_on_signals(here, worker);
    const int first_failure = here.receive() ? read_lines(here) : 0;
    here = Channel(Descriptor());
    // What could not be written at the end counts most; it has been told.
    const int end = worker.wait();
    const int code = end != 0 ? end : first_failure;
    if (code != 0)
        throw ToolError(static_cast<ExitCode>(code), {});
}

}  // namespace

std::unique_ptr<Command> add_shell(CLI::App& parent)
{
    return std::make_unique<Shell>(parent);
}

}  // namespace tools::lkl_tool
