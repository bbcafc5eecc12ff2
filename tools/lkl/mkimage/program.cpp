// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/mkimage/program.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/report.hpp"
#include "common/tool.hpp"

namespace tools::mkimage {

namespace {

constexpr int could_not_start = 127;  // exit code, as the shell's
constexpr off_t kept_output = 4096;   // bytes of the end of what a program prints

bool is_program(const std::string& path)
{
    struct stat status;
    return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
           access(path.c_str(), X_OK) == 0;
}

std::vector<char*> pointers(std::vector<std::string>& texts)
{
    std::vector<char*> result;
    result.reserve(texts.size() + 1);
    for (std::string& text : texts)
        result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

std::vector<std::string> environment_of(const Program::Start& start)
{
    std::vector<std::string> all;
    for (char** variable = environ; *variable != nullptr; variable++) {
        // Messages in English, as ours.
        if (std::strncmp(*variable, "LC_", 3) != 0 && std::strncmp(*variable, "LANG", 4) != 0)
            all.emplace_back(*variable);
    }
    all.emplace_back("LC_ALL=C.UTF-8");
    all.insert(all.end(), start.environment.begin(), start.environment.end());
    return all;
}

// Only calls that are safe between fork and exec.
[[noreturn]] void become(char* const* command, char* const* variables, int input, int output,
                         const std::vector<int>& kept, pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(could_not_start);
    for (const int number : {SIGINT, SIGTERM, SIGHUP})
        (void)signal(number, SIG_DFL);
    restore_signals();
    for (const int descriptor : kept)
        (void)fcntl(descriptor, F_SETFD, 0);
    if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
        dup2(output, STDERR_FILENO) < 0)
        _exit(could_not_start);
    execve(command[0], command, variables);
    _exit(could_not_start);
}

// The first line that says what is wrong, as far as one can tell; else the last one.
std::string reason(const std::string& text)
{
    constexpr std::array words{"nvalid", "nrecognized", "nknown", "annot",
                               "rror",   "ailed",       "too ",   " not "};
    std::string last;
    size_t start = 0;
    while (start < text.size()) {
        const size_t end = std::min(text.find_first_of("\r\n", start), text.size());
        const size_t first = text.find_first_not_of(" \t", start);
        const std::string line = first < end ? text.substr(first, end - first) : std::string();
        start = end + 1;
        if (line.empty())
            continue;
        last = line;
        if (std::any_of(words.begin(), words.end(),
                        [&line](const char* word) { return line.find(word) != std::string::npos; }))
            break;
    }
    return last;
}

}  // namespace

std::string find_program(std::string_view name, std::string_view package)
{
    const char* const path = std::getenv("PATH");
    std::string directories = path != nullptr ? path : "/usr/bin:/bin";
    directories += ":/usr/local/sbin:/usr/sbin:/sbin";
    for (size_t start = 0; start <= directories.size();) {
        const size_t end = std::min(directories.find(':', start), directories.size());
        std::string candidate = directories.substr(start, end - start);
        if (candidate.starts_with('/') && is_program((candidate += '/').append(name)))
            return candidate;
        start = end + 1;
    }
    throw ToolError(
        ExitCode::program,
        std::string(name) + ": is not there: install the Debian package " + std::string(package));
}

Program::Program(const Start& start)
    : name_(start.command.front().substr(start.command.front().rfind('/') + 1)),
      output_(memfd_create("output", MFD_CLOEXEC))
{
    const Descriptor nothing(open("/dev/null", O_RDONLY | O_CLOEXEC));
    std::vector<std::string> command = start.command;
    std::vector<std::string> environment = environment_of(start);
    const std::vector<char*> words = pointers(command);
    const std::vector<char*> variables = pointers(environment);
    const pid_t parent = getpid();
    process_ = output_ && nothing ? fork() : -1;
    if (process_ < 0)
        throw ToolError(ExitCode::internal, name_ + ": cannot start it: " + std::strerror(errno));
    if (process_ == 0)
        become(words.data(), variables.data(), start.input >= 0 ? start.input : nothing.get(),
               output_.get(), start.kept, parent);
}

Program::~Program()
{
    if (process_ < 0)
        return;
    (void)kill(process_, SIGKILL);
    while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {}
}

void Program::wait(const std::string& shown)
{
    int status = 0;
    while (waitpid(process_, &status, 0) < 0 && errno == EINTR) {}
    process_ = -1;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    std::array<char, kept_output> buffer;
    const off_t size = lseek(output_.get(), 0, SEEK_END);
    const ssize_t count = pread(output_.get(), buffer.data(), buffer.size(),
                                size > kept_output ? size - kept_output : 0);
    const std::string said = reason({buffer.data(), static_cast<size_t>(count > 0 ? count : 0)});
    std::string why = shown + ": " + name_;
    if (WIFSIGNALED(status))
        why += std::string(" was killed: ") + strsignal(WTERMSIG(status));
    else
        why += " failed (exit code " + std::to_string(WEXITSTATUS(status)) + ')';
    throw ToolError(ExitCode::program, said.empty() ? why : why + ": " + escaped(said));
}

}  // namespace tools::mkimage
