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
    // "0644", or a list as "u=rwX,go-w": who (u, g, o, a; none is a), one of + - =,
    // and bits of r w x X s t. None: it is not such a text.
    static std::optional<ModeChange> parse(std::string_view text);

    bool empty() const { return steps_.empty(); }
    // The new permission bits. X is x for directories and for what has an x.
    uint32_t apply(uint32_t mode, bool directory) const;

private:
    struct Step {
        char operation = '=';
        uint32_t who = 07777;  // the bits that the step may touch
        uint32_t bits = 0;
        bool execute_if_any = false;  // X
    };
    static std::optional<Step> parse_step(std::string_view text);

    std::vector<Step> steps_;
};

}  // namespace tools
