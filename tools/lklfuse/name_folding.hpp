// SPDX-License-Identifier: GPL-2.0-only
// File systems in which upper and lower case mean the same.
#pragma once

#include <string>

#include "lklfuse/inner.hpp"

namespace tools::lklfuse {

// Whether it does so in all its names, or may: for some it depends on how they were made.
// root: a descriptor of its root. Directories of the others may have LKL_FS_CASEFOLD_FL.
bool all_names_fold(Inner& inner, long root, const std::string& type, const std::string& options);

}  // namespace tools::lklfuse
