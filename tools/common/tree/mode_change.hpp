// SPDX-License-Identifier: GPL-2.0-only
// What --chmod says: permission bits as chmod(1) takes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tools {

class ModeChange {
public:
    // "0644", or a list as "u=rwX,go-w+t": who (u, g, o, a), and one or more times one of
    // + - = with r w x X s t, one of u g o (what these have) or, where nobody is named, an
    // octal number. Nobody: all, but without the bits of `mask`, the umask. None: it is not
    // such a text.
    static std::optional<ModeChange> parse(std::string_view text, uint32_t mask);

    bool empty() const { return steps_.empty(); }
    // The new permission bits. X is x for directories and for what has an x by then. A
    // directory keeps set-user-ID and set-group-ID unless the text names them, or is a number
    // of five digits or more.
    uint32_t apply(uint32_t mode, bool directory) const;

private:
    struct Step {
        char operation = '=';
        uint32_t who = 0;    // the bits of those that are named
        uint32_t limit = 0;  // the bits that the step may give or take
        uint32_t bits = 0;
        uint32_t named = 0;           // of them, what also directories get and lose
        bool copy = false;            // what the class of `bits` has
        bool execute_if_any = false;  // X
    };

    static std::optional<Step> parse_number(std::string_view text);
    bool parse_clause(std::string_view text, uint32_t mask);
    static bool parse_permissions(std::string_view text, Step& step);

    std::vector<Step> steps_;
};

}  // namespace tools
