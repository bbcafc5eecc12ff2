// SPDX-License-Identifier: GPL-2.0-only
// Which paths of the program are our kernel's: /proc/net and what else tells of the
// network, and the images of --mount below their directories. /etc/resolv.conf is a file
// of our own where name servers are given.
//
// A path is taken as it is written, a relative one from the working directory; symbolic
// links of the host that lead into such a directory are not followed. The working
// directory itself is one of the host's, by its name: what is relative to the host's
// /proc/sys/net is our kernel's, also in a program that is started there.
#pragma once

#include <optional>
#include <string>

namespace hijack::routes {

// Reads the settings. Before, all paths are the host's. While the program has one thread.
void prepare();

// The path in our kernel, which need not have started, or nothing: it is the host's.
// dirfd is one of the host's, or AT_FDCWD. The caller is Inside.
std::optional<std::string> in_our_kernel(long dirfd, const char* path);

// For a path that is the host's: the same without "..", where it leads out of one of ours
// by that. The caller is Inside.
std::optional<std::string> out_of_ours(long dirfd, const char* path);

// The other way round: what the program calls a path of our kernel's, or nothing.
std::optional<std::string> of_program(const std::string& kernel_path);

// Whether a path of our kernel's is the link of an open file, as /dev/fd has it.
bool is_open_file(const std::string& kernel_path);

// Whether a path of our kernel's is of the network, not of an image.
bool tells_of_network(const std::string& kernel_path);

// A new descriptor of the host with what the program is to see there, or -1: no such
// path, or opened for writing. The caller is Inside.
int substitute(long dirfd, const char* path, long flags);

}  // namespace hijack::routes
