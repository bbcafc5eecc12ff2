// SPDX-License-Identifier: GPL-2.0-only
// Memory of the kernel inside that its disks can fill without a copy (O_DIRECT).
#pragma once

#include <cstddef>

#include "lklfuse/inner.hpp"

namespace tools::lklfuse {

// The most that a request reads, in bytes.
constexpr size_t most_read = size_t{1} << 20;

// A buffer of `most_read` bytes of the calling thread, for as long as it lives; null
// when the kernel inside has no memory for it.
std::byte* thread_buffer(Inner& inner);

}  // namespace tools::lklfuse
