// SPDX-License-Identifier: GPL-2.0-only
// A part of a command in a process of its own: it shuts itself in, and what stays outside
// never sees the image.
#pragma once

#include <functional>

#include <sys/types.h>

namespace tools::lkl_tool {

// One thread, and no other when it starts.
class Child {
public:
    // Runs the function as run_tool() does. Throws ToolError when there is no process.
    explicit Child(const std::function<void()>& function);
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child();  // waits

    // Its exit code. Throws ToolError, ExitCode::kernel, when a signal ended it.
    int wait();
    pid_t process() const { return process_; }

private:
    pid_t process_;
};

}  // namespace tools::lkl_tool
