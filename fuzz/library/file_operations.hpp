// SPDX-License-Identifier: GPL-2.0-only
// Operations on a mounted file system, read off an input.
#pragma once

#include <string>

#include <lkl/kernel.hpp>

#include "input.hpp"

namespace lkl::fuzz {

// Does up to 64 operations on files below `directory`, until the input ends: each is a
// byte that says which, one or two that choose names, and two for sizes or places.
// Names are those of the images of fuzz/corpus.py and a few more. What an operation
// returns is of no interest.
void run_file_operations(Kernel& kernel, const std::string& directory, Input& input);

}  // namespace lkl::fuzz
