// SPDX-License-Identifier: GPL-2.0-only
// A disk whose bytes come from a program's functions (struct lkl_dev_blk_ops).
#pragma once

#include <memory>

#include <lkl/block.hpp>
#include <lkl/result.hpp>
#include <lkl_host.h>

namespace lkl::capi {

// A back end that calls disk.ops; see lkl_host.h for which thread calls what.
// Errors: EINVAL (functions are missing, or what they say makes no sense),
// EAGAIN (no thread), and what the functions return.
Result<std::unique_ptr<BlockBackend>> make_callback_disk(const lkl_disk& disk);

}  // namespace lkl::capi
