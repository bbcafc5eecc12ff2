// SPDX-License-Identifier: GPL-2.0-only
#include "common/tool.hpp"

#include <csignal>
#include <exception>
#include <new>

#include "common/report.hpp"

namespace tools {

int run_tool(const char* name, const std::function<void()>& function)
{
    set_tool_name(name);
    std::signal(SIGPIPE, SIG_IGN);
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
