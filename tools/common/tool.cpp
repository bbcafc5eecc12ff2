// SPDX-License-Identifier: GPL-2.0-only
#include "common/tool.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <set>
#include <string_view>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/descriptor.hpp"
#include "common/report.hpp"

namespace tools {

namespace {

constexpr std::array ignored{SIGPIPE, SIGXFSZ};
std::array<void (*)(int), ignored.size()> before;

constexpr unsigned first_inherited = STDERR_FILENO + 1;

// The number that the text begins with, or -1.
int leading_number(std::string_view text)
{
    int number = -1;
    (void)std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

// Adds the descriptors that the argument names, as a part of it too: log=/dev/fd/5.
void add_named(std::string_view argument, std::set<unsigned>& named)
{
    const std::string own = "/proc/" + std::to_string(getpid()) + "/fd/";
    for (const std::string_view directory :
         {std::string_view("/dev/fd/"), std::string_view("/proc/self/fd/"),
          std::string_view("/proc/thread-self/fd/"), std::string_view(own)}) {
        for (size_t at = argument.find(directory); at != std::string_view::npos;
             at = argument.find(directory, at + 1)) {
            const int number = leading_number(argument.substr(at + directory.size()));
            if (number >= static_cast<int>(first_inherited))
                named.insert(static_cast<unsigned>(number));
        }
    }
}

// What close_range(2) does, on hosts that have it not (before Linux 5.9) or let nobody use it.
void close_one_by_one(const std::set<unsigned>& kept)
{
    struct Close {
        void operator()(DIR* directory) const { closedir(directory); }
    };
    const std::unique_ptr<DIR, Close> list(opendir("/proc/self/fd"));
    if (!list)
        throw ToolError(ExitCode::internal, "/proc/self/fd: cannot find what is to be closed");
    std::vector<int> found;
    while (const dirent* const entry = readdir(list.get())) {
        const int number = leading_number(entry->d_name);
        if (number >= static_cast<int>(first_inherited) && number != dirfd(list.get()) &&
            !kept.contains(static_cast<unsigned>(number)))
            found.push_back(number);
    }
    for (const int number : found)
        close(number);
}

std::set<unsigned> named_descriptors(std::span<const std::string> arguments)
{
    std::set<unsigned> named;
    for (const std::string& argument : arguments)
        add_named(argument, named);
    return named;
}

}  // namespace

void close_inherited_descriptors(std::span<const std::string> arguments)
{
    close_descriptors_but(named_descriptors(arguments));
}

void close_descriptors_but(const std::set<unsigned>& kept)
{
    unsigned first = first_inherited;
    for (const unsigned number : kept) {
        if (number > first && close_range(first, number - 1, 0) != 0)
            return close_one_by_one(kept);
        first = number + 1;
    }
    if (close_range(first, ~0U, 0) != 0)
        close_one_by_one(kept);
}

void restore_signals()
{
    for (size_t i = 0; i < ignored.size(); i++) {
        if (before[i] == SIG_DFL)
            std::signal(ignored[i], SIG_DFL);
    }
}

void occupy_standard_descriptors()
{
    // The lowest free number each time, until one is past them.
    for (;;) {
        const int placeholder = open("/", O_PATH | O_CLOEXEC);
        if (placeholder >= 0 && placeholder <= STDERR_FILENO)
            continue;
        if (placeholder >= 0)
            close(placeholder);
        return;
    }
}

void finish_standard_output()
{
    if (std::fflush(stdout) == 0 && (close_copy(STDOUT_FILENO) == 0 || errno == EBADF))
        return;
    throw ToolError(ExitCode::output,
                    std::string("standard output: cannot write: ") + std::strerror(errno));
}

int run_tool(const char* name, const std::function<void()>& function)
{
    occupy_standard_descriptors();
    set_tool_name(name);
    for (size_t i = 0; i < ignored.size(); i++)
        before[i] = std::signal(ignored[i], SIG_IGN);
    try {
        function();
        finish_standard_output();
        return static_cast<int>(ExitCode::ok);
    } catch (const ToolError& error) {
        // Without a text: it was told before.
        if (*error.what() != '\0')
            report(error.what());
        return static_cast<int>(error.code());
    } catch (const std::bad_alloc&) {
        report("out of memory");
    } catch (const std::exception& error) {
        report(error.what());
    }
    return static_cast<int>(ExitCode::internal);
}

int run_tool(const char* name, int argc, char** argv, const std::function<void()>& function)
{
    return run_tool(name, [argc, argv, &function] {
        close_inherited_descriptors(std::vector<std::string>(argv, argv + argc));
        function();
    });
}

}  // namespace tools
