// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/exclude.hpp"

#include <algorithm>

#include <fnmatch.h>

namespace tools {

void ExcludePatterns::add(std::string_view text)
{
    Pattern pattern;
    while (text.starts_with("./") || text.starts_with('/')) {
        pattern.anchored = true;
        text.remove_prefix(text.starts_with('/') ? 1 : 2);
    }
    while (text.ends_with('/'))
        text.remove_suffix(1);
    if (text.empty())
        return;
    pattern.text = text;
    pattern.literal = text.find_first_of("*?[\\") == std::string_view::npos;
    patterns_.push_back(std::move(pattern));
}

bool ExcludePatterns::match(const std::string& path) const
{
    return std::any_of(patterns_.begin(), patterns_.end(),
                       [&path](const Pattern& pattern) { return match(pattern, path); });
}

bool ExcludePatterns::match(const Pattern& pattern, const std::string& path)
{
    const std::string& text = pattern.text;
    if (pattern.literal) {
        if (path == text)
            return true;
        return !pattern.anchored && path.size() > text.size() && path.ends_with(text) &&
               path[path.size() - text.size() - 1] == '/';
    }
    // The tool sets no locale, so fnmatch() compares bytes.
    if (fnmatch(text.c_str(), path.c_str(), 0) == 0)
        return true;
    if (pattern.anchored)
        return false;
    for (size_t slash = path.find('/'); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
        if (fnmatch(text.c_str(), path.c_str() + slash + 1, 0) == 0)
            return true;
    }
    return false;
}

}  // namespace tools
