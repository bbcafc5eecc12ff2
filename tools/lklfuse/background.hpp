// SPDX-License-Identifier: GPL-2.0-only
// Going on in the background, once the mount is there.
#pragma once

#include "common/descriptor.hpp"

namespace tools::lklfuse {

// A kernel does not survive fork(2); so the process that will serve is made first, and
// the one that was called waits until it knows how the mount has gone.
class Background {
public:
    // To be called before there are threads. wanted: go to the background. Returns in
    // the process that serves; the other one waits, and exits with 0 once it detaches,
    // else with its exit code. Throws ToolError.
    explicit Background(bool wanted);

    // The mount is there: lets the first process go, and its terminal and directory.
    // output: the descriptor that standard error becomes, or -1.
    void detach(int output);

private:
    Descriptor ready_;  // to the process that waits
    Descriptor null_;
};

}  // namespace tools::lklfuse
