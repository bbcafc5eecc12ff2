// SPDX-License-Identifier: GPL-2.0-only
// The options of a file system as mount(2) wants them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

namespace lkl::file {

// mount(2) reads a page, however short the text is (copy_mount_options()): there must be
// one, also for a program without the fault handler.
inline std::string mount_data(std::string text)
{
    constexpr size_t page = 4096;
    text.resize(std::max(text.size(), page));
    return text;
}

}  // namespace lkl::file
