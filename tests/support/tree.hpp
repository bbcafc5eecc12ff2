// SPDX-License-Identifier: GPL-2.0-only
// A tree of files that one kernel makes and another one looks at.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "file_calls.hpp"

namespace lkl::test {

// What the file system between the two can hold, or is looked at.
struct TreeTraits {
    bool contents = true;
    bool modes = true;
    bool symlinks = true;
    bool hard_links = true;
    bool fifos = true;
    int64_t time_step = 1;  // nanoseconds
};

// Bytes that depend on all arguments.
std::string pattern(uint64_t seed, size_t size);

// Makes a tree in an empty directory: files of many sizes, a directory of 300, and what is
// changed afterwards (renamed, removed, cut, overwritten, linked), some of which has to fail.
// What each call returned, a line each.
std::vector<std::string> make_tree(const FileCalls& files, const std::string& root,
                                   const TreeTraits& traits);

// Six threads at once write files anew under other names, rename and read them, in `ours`, which
// ends in a slash; then the host sees the same in `hosts`.
void expect_threads_to_write(const FileCalls& our_files, const std::string& ours,
                             const FileCalls& host_files, const std::string& hosts);

// A line for each file: name, type, size, mode, links, time of change, target, contents.
std::vector<std::string> describe_tree(const FileCalls& files, const std::string& root,
                                       const TreeTraits& traits);

// Says which lines are not in both.
testing::AssertionResult same_lines(const std::vector<std::string>& expected,
                                    const std::vector<std::string>& found);

}  // namespace lkl::test
