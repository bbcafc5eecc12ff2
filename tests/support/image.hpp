// SPDX-License-Identifier: GPL-2.0-only
// What the kernel image under test says of itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <core/image.hpp>
#include <lkl/kernel.hpp>

namespace lkl::test {

// Whether it is the one of arch/lkl/configs/`configuration`_defconfig, by its name: so that one
// that has lost its checkers fails.
inline bool image_is(std::string_view configuration)
{
    const std::string image = default_kernel_image();
    return image.ends_with('-' + std::string(configuration));
}

// Bytes that the kernel has beyond what a test asks for, because it checks itself: debug
// and KASAN kernels. 0 for others.
inline uint64_t checkers_memory()
{
    const auto image = Image::open(default_kernel_image());
    return image ? image->checkers_memory() : 0;
}

}  // namespace lkl::test
