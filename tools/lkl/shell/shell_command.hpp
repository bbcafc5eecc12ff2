// SPDX-License-Identifier: GPL-2.0-only
// What the shell asks of a command beside lkl::Command: to work in an open image.
#pragma once

#include "common/report.hpp"
#include "lkl/image/image.hpp"

namespace tools::lkl_tool {

class ShellCommand {
public:
    virtual ~ShellCommand() = default;
    // As Command::run(), with paths in the image in the place of IMAGE:PATH. The image
    // stays as it is. Throws ToolError.
    virtual void run_in(Image& image) = 0;

protected:
    static void require_writable(const Image& image)
    {
        if (!image.writable())
            throw ToolError(ExitCode::usage,
                            "the image is open for reading alone: start the shell with -w");
    }
};

}  // namespace tools::lkl_tool
