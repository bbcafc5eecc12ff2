// SPDX-License-Identifier: GPL-2.0-only
#include "common/child_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/descriptor.hpp"
#include "common/report.hpp"

namespace tools {

namespace {

// What the child sends: this, and then the result or the text of the error.
struct Answer {
    bool failed = false;
    int code = 0;
    int cause = 0;
};

[[noreturn]] void fail(const std::string& what)
{
    throw ToolError(ExitCode::internal, what + ": " + std::strerror(errno));
}

void write_all(int pipe, std::string_view bytes)
{
    while (!bytes.empty()) {
        const ssize_t count = write(pipe, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            _exit(EXIT_FAILURE);  // nobody is left to be told
        bytes.remove_prefix(static_cast<size_t>(count));
    }
}

[[noreturn]] void answer(int pipe, const Answer& answer, std::string_view text)
{
    write_all(pipe, {reinterpret_cast<const char*>(&answer), sizeof answer});
    write_all(pipe, text);
    _exit(EXIT_SUCCESS);
}

[[noreturn]] void be_child(int pipe, pid_t parent, const std::function<std::string()>& function)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
    // What the handlers would remove is the parent's.
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction action {};
        if (sigaction(number, nullptr, &action) == 0 && action.sa_handler != SIG_IGN)
            std::signal(number, SIG_DFL);
    }
    const auto internal = static_cast<int>(ExitCode::internal);
    try {
        answer(pipe, {}, function());
    } catch (const ToolError& error) {
        answer(pipe, {true, static_cast<int>(error.code()), error.cause()}, error.what());
    } catch (const std::bad_alloc&) {
        answer(pipe, {true, internal, 0}, "out of memory");
    } catch (const std::exception& error) {
        answer(pipe, {true, internal, 0}, error.what());
    }
}

std::string read_all(int pipe)
{
    std::string bytes;
    std::array<char, 65536> buffer;
    for (;;) {
        const ssize_t count = read(pipe, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return bytes;
        bytes.append(buffer.data(), static_cast<size_t>(count));
    }
}

}  // namespace

std::string run_in_child(const std::function<std::string()>& function)
{
    std::array<int, 2> ends;
    if (pipe2(ends.data(), O_CLOEXEC) != 0)
        fail("pipe");
    const Descriptor in(ends[0]);
    Descriptor out(ends[1]);
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0)
        be_child(out.get(), parent, function);
    (void)out.close();
    std::string bytes = read_all(in.get());
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    Answer answer;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS || bytes.size() < sizeof answer)
        throw ToolError(ExitCode::internal, WIFSIGNALED(status)
                                                ? std::string("the process at work was killed: ") +
                                                      strsignal(WTERMSIG(status))
                                                : std::string("the process at work ended early"));
    std::memcpy(&answer, bytes.data(), sizeof answer);
    bytes.erase(0, sizeof answer);
    if (answer.failed)
        throw ToolError(static_cast<ExitCode>(answer.code), bytes, answer.cause);
    return bytes;
}

}  // namespace tools
