// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/edit/host_copy.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/report.hpp"
#include "common/tool.hpp"

namespace tools::lkl_tool {

namespace {

[[noreturn]] void fail(const std::string& what)
{
    throw ToolError(ExitCode::output, what + ": " + std::strerror(errno));
}

const char* editor()
{
    for (const char* const name : {"VISUAL", "EDITOR"}) {
        const char* const value = std::getenv(name);
        if (value != nullptr && *value != '\0')
            return value;
    }
    return "vi";
}

}  // namespace

HostCopy::HostCopy(const std::string& name)
{
    const char* const temporary = std::getenv("TMPDIR");
    directory_ = std::string(temporary != nullptr && *temporary != '\0' ? temporary : "/tmp") +
                 "/lkl-edit-XXXXXX";
    if (mkdtemp(directory_.data()) == nullptr)
        fail(escaped(directory_) + ": cannot make a directory");
    path_ = directory_ + '/' + name;
    if (!open(O_WRONLY | O_CREAT | O_EXCL))
        fail(escaped(path_) + ": cannot make the copy");
}

HostCopy::~HostCopy()
{
    std::error_code ignored;
    if (!kept_)
        std::filesystem::remove_all(directory_, ignored);
}

Descriptor HostCopy::open(int flags) const
{
    constexpr mode_t private_mode = 0600;
    return Descriptor(::open(path_.c_str(), flags | O_CLOEXEC, private_mode));
}

std::string HostCopy::contents() const
{
    const Descriptor file = open(O_RDONLY);
    if (!file)
        fail(escaped(path_) + ": cannot open the copy");
    std::string text;
    std::array<char, 1 << 16> buffer;
    for (;;) {
        const ssize_t count = read(file.get(), buffer.data(), buffer.size());
        if (count < 0)
            fail(escaped(path_) + ": cannot read the copy");
        if (count == 0)
            return text;
        text.append(buffer.data(), static_cast<size_t>(count));
    }
}

// The variable may hold options as well, so the shell splits it.
void HostCopy::edit() const
{
    const std::string command = std::string(editor()) + " \"$@\"";
    const pid_t process = fork();
    if (process == 0) {
        restore_signals();
        execl("/bin/sh", "sh", "-c", command.c_str(), editor(), path_.c_str(), nullptr);
        _exit(127);
    }
    // Ctrl-C is for the editor.
    const auto before = std::signal(SIGINT, SIG_IGN);
    int status = 0;
    while (process > 0 && waitpid(process, &status, 0) < 0 && errno == EINTR) {}
    std::signal(SIGINT, before);
    if (process < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        throw ToolError(ExitCode::program,
                        std::string(editor()) + ": the editor failed: the image is as it was");
}

}  // namespace tools::lkl_tool
