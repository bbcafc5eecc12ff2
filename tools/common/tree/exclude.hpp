// SPDX-License-Identifier: GPL-2.0-only
// Patterns of names that stay out of the archive (-x), as GNU tar's --exclude.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tools {

// A pattern has the shell's wildcards, which match slashes, too. It matches a
// whole path, or the end of a path that begins behind any slash; one that begins
// with "/" or "./" matches whole paths alone. What is below a directory that
// matches is left out with it. Bytes are compared, whatever their charset.
class ExcludePatterns {
public:
    void add(std::string_view pattern);
    bool empty() const { return patterns_.empty(); }

    // path: as in the archive, without a slash at the end.
    bool match(const std::string& path) const;

private:
    struct Pattern {
        std::string text;
        bool anchored = false;
        bool literal = false;  // no wildcards
    };
    static bool match(const Pattern& pattern, const std::string& path);

    std::vector<Pattern> patterns_;
};

}  // namespace tools
