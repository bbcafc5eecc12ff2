// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/shell/worker.hpp"

#include <algorithm>
#include <csignal>
#include <iostream>
#include <memory>
#include <utility>

#include <CLI/CLI.hpp>
#include <lkl/linux/fcntl.h>
#include <sys/prctl.h>

#include "common/report.hpp"
#include "common/tree/host_sources.hpp"
#include "common/tree/image_directory.hpp"
#include "lkl/commands.hpp"
#include "lkl/copy/copy.hpp"
#include "lkl/image/images.hpp"
#include "lkl/image/walk.hpp"
#include "lkl/output/output.hpp"
#include "lkl/shell/shell_command.hpp"
#include "lkl/shell/words.hpp"

namespace tools::lkl_tool {

namespace {

using Words = std::vector<std::string>;

class Worker {
public:
    Worker(Image& image, std::string host_directory)
        : image_(image), host_directory_(std::move(host_directory))
    {
    }

    std::string answer(const std::string& request);

private:
    int run(const std::string& line);
    void execute(const Words& words);
    bool execute_builtin(const Words& words);
    void execute_command(const Words& words);
    void get(Words arguments);
    void put(Words arguments);
    void print_help() const;
    std::string complete(const std::string& word) const;
    // A path of the host, as seen from the directory of lcd.
    std::string on_host(const std::string& path) const;

    Image& image_;
    std::string host_directory_;
};

std::string Worker::answer(const std::string& request)
{
    const std::string text = request.substr(1);
    if (static_cast<Request>(request.front()) == Request::complete) {
        try {
            return complete(text) + '\0';
        } catch (const ToolError&) {
            return std::string(1, '\0');  // nothing that could be completed
        }
    }
    return std::to_string(run(text));
}

int Worker::run(const std::string& line)
{
    try {
        const Words words = split_words(line);
        if (!words.empty())
            execute(words);
        return static_cast<int>(ExitCode::ok);
    } catch (const ToolError& error) {
        // Nothing can follow.
        if (error.code() == ExitCode::kernel)
            throw;
        if (*error.what() != '\0')
            report(error.what());
        return static_cast<int>(error.code());
    }
}

void Worker::execute(const Words& words)
{
    if (!execute_builtin(words))
        execute_command(words);
}

bool Worker::execute_builtin(const Words& words)
{
    const std::string& name = words.front();
    Words arguments(words.begin() + 1, words.end());
    const auto at_most_one = [&] {
        if (arguments.size() > 1)
            throw ToolError(ExitCode::usage, name + ": one argument is too many");
        return arguments.empty() ? std::string() : arguments.front();
    };
    if (name == "cd") {
        const std::string path = at_most_one();
        image_.change_directory(path.empty() ? "/" : path);
    } else if (name == "pwd") {
        Output out;
        out.write(out.name(image_.directory()) + '\n');
        out.flush();
    } else if (name == "lcd") {
        // The other process knows that it is a directory.
        host_directory_ = on_host(at_most_one());
    } else if (name == "get") {
        get(std::move(arguments));
    } else if (name == "put") {
        put(std::move(arguments));
    } else if (name == "help") {
        print_help();
    } else {
        return false;
    }
    return true;
}

void Worker::execute_command(const Words& words)
{
    CLI::App app("", "lkl");
    app.require_subcommand(1);
    std::unique_ptr<Command> added;
    for (const CommandEntry& entry : all_commands()) {
        if (words.front() == entry.name)
            added = entry.add(app);
    }
    auto* const command = dynamic_cast<ShellCommand*>(added.get());
    if (command == nullptr)
        throw ToolError(ExitCode::usage,
                        escaped(words.front()) + ": no such command (help shows them)");
    try {
        Words reversed(words.rbegin(), words.rend());
        app.parse(std::move(reversed));
    } catch (const CLI::Success& done) {
        app.exit(done);
        std::cout.flush();
        return;
    } catch (const CLI::ParseError& error) {
        throw ToolError(ExitCode::usage, words.front() + ": " + escaped(error.what()));
    }
    command->run_in(image_);
}

std::string Worker::on_host(const std::string& path) const
{
    if (path.empty() || path.starts_with('/'))
        return path.empty() ? host_directory_ : path;
    return host_directory_ + '/' + path;
}

// PATH... DIRECTORY, or one PATH into the directory of lcd.
void Worker::get(Words arguments)
{
    if (arguments.empty())
        throw ToolError(ExitCode::usage, "get: PATH... [DESTINATION ON THE HOST]");
    std::string destination;
    if (arguments.size() > 1) {
        destination = arguments.back();
        arguments.pop_back();
    }
    for (std::string& path : arguments)
        path = image_.absolute(path);
    Failures failures(false, false);
    copy_to_host(image_, arguments, open_host_top(on_host(destination), arguments), {true, true},
                 failures);
    failures.throw_if_any();
}

// FILE... PATH, or one FILE into the working directory.
void Worker::put(Words arguments)
{
    if (arguments.empty())
        throw ToolError(ExitCode::usage, "put: FILE OF THE HOST... [PATH]");
    if (!image_.writable())
        throw ToolError(ExitCode::usage,
                        "the image is open for reading alone: start the shell with -w");
    std::string destination = image_.directory();
    if (arguments.size() > 1) {
        destination = arguments.back();
        arguments.pop_back();
    }
    for (std::string& path : arguments)
        path = on_host(path);
    Failures failures(false, false);
    copy_from_host(expand_host_sources(arguments, failures), image_, destination, {true, true},
                   failures);
    failures.throw_if_any();
}

void Worker::print_help() const
{
    Output out;
    out.write("Commands, with paths of the image (COMMAND --help says more):\n ");
    for (const CommandEntry& entry : all_commands()) {
        CLI::App app;
        if (dynamic_cast<ShellCommand*>(entry.add(app).get()) != nullptr)
            out.write(std::string(" ") + entry.name);
    }
    out.write(
        "\n"
        "  cd [PATH]                 pwd\n"
        "  get PATH... [HOST PATH]   copy to the host\n"
        "  put FILE... [PATH]        copy from the host\n"
        "  lcd [DIRECTORY]           the host's directory of get and put\n"
        "  !COMMAND                  run a command of the host\n"
        "  exit\n");
    out.flush();
}

// Names that begin as the last part of the word, each with what stands before it.
std::string Worker::complete(const std::string& word) const
{
    const size_t slash = word.rfind('/');
    const std::string before = slash == std::string::npos ? "" : word.substr(0, slash + 1);
    const std::string start = word.substr(before.size());
    ImageDirectory directory(
        image_.open(before.empty() ? "." : before, LKL_O_RDONLY | LKL_O_DIRECTORY));
    std::vector<std::string> names;
    for (;;) {
        const auto entry = directory.next();
        if (!entry || *entry == nullptr)
            break;
        const std::string name = (*entry)->name;
        if (!name.starts_with(start) || (name.starts_with('.') && start.empty()))
            continue;
        names.push_back(before + name + ((*entry)->type == lkl::FileType::directory ? "/" : ""));
    }
    std::sort(names.begin(), names.end());
    std::string list;
    for (const std::string& name : names) {
        if (list.size() + name.size() + 2 > Channel::most)
            break;
        list += name + '\0';
    }
    return list;
}

// What ends the shell, and all of a terminal that is closed, comes to this process as well. But
// what was reported as done is in the kernel's memory: the end of the channel is the end, by way
// of the disk.
void stay_for_the_image()
{
    for (const int signal : ending_signals)
        std::signal(signal, SIG_IGN);
    // Ends the command at its next line, file or part of one: the image stays whole.
    std::signal(SIGINT, [](int) { Output::interrupt(); });
    // The other process may be killed, and cannot say so.
    (void)prctl(PR_SET_PDEATHSIG, SIGINT);
}

}  // namespace

const std::vector<std::string>& builtin_names()
{
    static const std::vector<std::string> names{"cd", "pwd", "get", "put", "lcd", "help", "exit"};
    return names;
}

void serve(const GlobalOptions& global, const ShellOptions& options, Channel channel)
{
    Images images(global);
    images.want(options.image, options.writable);
    SandboxRules rules;
    rules.write.push_back(options.host_directory);
    stay_for_the_image();
    images.shut_in(std::move(rules));
    Image& image = images.get(options.image);
    if (!options.directory.empty())
        image.change_directory(options.directory);
    Worker worker(image, options.host_directory);
    if (!channel.send("0"))
        return;
    while (const auto request = channel.receive()) {
        // Of what ended before. Who ends the shell closes the channel, and then interrupts: that
        // is seen here, or else the interrupt comes later, and ends what runs.
        Output::forget_interrupt();
        if (channel.is_closed() || !channel.send(worker.answer(*request)))
            break;
    }
    images.finish();
}

}  // namespace tools::lkl_tool
