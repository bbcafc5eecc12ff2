// SPDX-License-Identifier: GPL-2.0-only
// What this process was told by its environment.
#pragma once

#include <string>

#include "hijack/config.hpp"

namespace hijack::settings {

// The configuration, read at the first call; null: it is wrong, which has been said.
// For any thread; the caller is Inside.
const Configuration* configuration();

// What the processes of a run have in common, in LKL_RUN_ID: set by `lkl run`, or by the
// first process. To be called while the program has one thread.
void set_run_id();
std::string run_id();

}  // namespace hijack::settings
