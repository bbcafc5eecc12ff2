// SPDX-License-Identifier: GPL-2.0-only
// The command line of lkl_start_kernel().
#pragma once

#include <string_view>

#include <lkl/kernel.hpp>
#include <lkl/result.hpp>

namespace lkl::capi {

// Takes `mem=SIZE` out of a kernel command line: it is for the host library,
// which gives the kernel its memory; the last one counts. The rest stays as it
// is, up to "--", behind which words are for the kernel's init. EINVAL: the size
// is not a number with an optional K, M or G.
Result<KernelOptions> parse_command_line(std::string_view text);

}  // namespace lkl::capi
