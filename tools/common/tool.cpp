// SPDX-License-Identifier: GPL-2.0-only
#include "common/tool.hpp"

#include <array>
#include <csignal>
#include <exception>
#include <new>

#include <fcntl.h>
#include <unistd.h>

#include "common/report.hpp"

namespace tools {

namespace {

constexpr std::array ignored{SIGPIPE, SIGXFSZ};
std::array<void (*)(int), ignored.size()> before;

}  // namespace

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

int run_tool(const char* name, const std::function<void()>& function)
{
    occupy_standard_descriptors();
    set_tool_name(name);
    for (size_t i = 0; i < ignored.size(); i++)
        before[i] = std::signal(ignored[i], SIG_IGN);
    try {
        function();
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

}  // namespace tools
