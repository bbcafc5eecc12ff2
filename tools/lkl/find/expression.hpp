// SPDX-License-Identifier: GPL-2.0-only
// The expression of find: tests and actions, spelled as find(1) has them.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "lkl/image/users.hpp"
#include "lkl/image/walk.hpp"

namespace tools::lkl_tool {

// What tests and actions have to do with, beside the file itself.
struct FindContext {
    Image& image;
    Users& users;
    // Actions.
    std::function<void(const Visit&)> print;
    std::function<void(const Visit&)> print0;
    std::function<void(const Visit&)> list;
    bool pruned = false;  // set by -prune
};

class FindTest {
public:
    virtual ~FindTest() = default;
    // Throws ToolError when the file cannot be looked at.
    virtual bool matches(const Visit& file, FindContext& context) const = 0;
};

struct FindExpression {
    std::unique_ptr<FindTest> test;  // none: all files
    bool has_action = false;         // else what matches is printed
    size_t least_depth = 0;
    size_t most_depth = std::numeric_limits<size_t>::max();
    bool contents_first = false;  // -depth
    bool json = false;            // --json among the words
};

// Throws ToolError, ExitCode::usage.
FindExpression parse_find(const std::vector<std::string>& words);

// A one-word test for a word such as "-name" and, if the test takes one, its argument.
// None: there is no such test.
struct FindPrimary {
    bool takes_argument;
    std::unique_ptr<FindTest> (*make)(const std::string& argument);
};
const FindPrimary* find_primary(const std::string& word);

}  // namespace tools::lkl_tool
