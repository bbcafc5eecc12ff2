// SPDX-License-Identifier: GPL-2.0-only
// System calls on paths, which go to our kernel where the path is its (files/routes.hpp).
#pragma once

#include <optional>

namespace hijack::paths {

// The call in our kernel, if the path, or the directory that it begins at, is there; its
// result. Nothing: the call has no path, or it is the host's. `number` is below 512.
std::optional<long> run(long number, const long* args);

// Whether a path, from a directory of either side, is a file of ours; our kernel need not
// have started.
bool is_ours(long directory, const char* path);

// mmap() of a file of ours: a private mapping gets a copy, a shared one is refused.
long map(const long* args);

// chdir(), fchdir(): to a directory of the host's, or to one of ours that the host has too,
// by that name. EOPNOTSUPP: an image's, or one that the host does not have.
long change_directory(const long* args);
long change_directory_to(const long* args);

}  // namespace hijack::paths
