// SPDX-License-Identifier: GPL-2.0-only
// What the kernel image under test says of itself.
#pragma once

#include <cstdint>

#include <core/image.hpp>
#include <lkl/kernel.hpp>

namespace lkl::test {

// Bytes that the kernel has beyond what a test asks for, because it checks itself: debug
// and KASAN kernels. 0 for others.
inline uint64_t checkers_memory()
{
    const auto image = Image::open(default_kernel_image());
    return image ? image->checkers_memory() : 0;
}

}  // namespace lkl::test
