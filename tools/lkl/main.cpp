// SPDX-License-Identifier: GPL-2.0-only
// lkl: looks into disk images and changes what is in them.
#include "common/tool.hpp"
#include "lkl/dispatch.hpp"

int main(int argc, char** argv)
{
    return tools::run_tool("lkl", [argc, argv] {
        tools::lkl_tool::dispatch({argv + (argc > 0 ? 1 : 0), argv + argc});
    });
}
