// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/preload/thread.hpp"

namespace hijack {

thread_local Thread this_thread __attribute__((tls_model("initial-exec")));

}  // namespace hijack
