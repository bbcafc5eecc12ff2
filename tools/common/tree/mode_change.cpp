// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/mode_change.hpp"

#include <charconv>

namespace tools {

namespace {

// The bits of a class of users: its three, and what it has of s and t.
constexpr uint32_t bits_of_class(char who)
{
    switch (who) {
    case 'u':
        return 04700;
    case 'g':
        return 02070;
    case 'o':
        return 01007;
    case 'a':
        return 07777;
    default:
        return 0;
    }
}

constexpr uint32_t bits_of_permission(char permission)
{
    switch (permission) {
    case 'r':
        return 0444;
    case 'w':
        return 0222;
    case 'x':
        return 0111;
    case 's':
        return 06000;
    case 't':
        return 01000;
    default:
        return 0;
    }
}

}  // namespace

std::optional<ModeChange::Step> ModeChange::parse_step(std::string_view text)
{
    Step step;
    const size_t operation = text.find_first_of("+-=");
    if (operation == std::string_view::npos)
        return std::nullopt;
    step.operation = text[operation];
    if (operation > 0)
        step.who = 0;
    for (const char who : text.substr(0, operation)) {
        if (bits_of_class(who) == 0)
            return std::nullopt;
        step.who |= bits_of_class(who);
    }
    for (const char permission : text.substr(operation + 1)) {
        if (permission == 'X')
            step.execute_if_any = true;
        else if (bits_of_permission(permission) == 0)
            return std::nullopt;
        step.bits |= bits_of_permission(permission);
    }
    return step;
}

std::optional<ModeChange> ModeChange::parse(std::string_view text)
{
    ModeChange change;
    Step absolute;
    const char* const end = text.data() + text.size();
    const auto number = std::from_chars(text.data(), end, absolute.bits, 8);
    if (number.ec == std::errc() && number.ptr == end && absolute.bits <= 07777) {
        change.steps_.push_back(absolute);
        return change;
    }
    for (;;) {
        const size_t comma = text.find(',');
        const auto step = parse_step(text.substr(0, comma));
        if (!step)
            return std::nullopt;
        change.steps_.push_back(*step);
        if (comma == std::string_view::npos)
            return change;
        text.remove_prefix(comma + 1);
    }
}

uint32_t ModeChange::apply(uint32_t mode, bool directory) const
{
    const bool executable = directory || (mode & 0111) != 0;
    for (const Step& step : steps_) {
        uint32_t bits = step.bits;
        if (step.execute_if_any && executable)
            bits |= 0111;
        bits &= step.who;
        switch (step.operation) {
        case '+':
            mode |= bits;
            break;
        case '-':
            mode &= ~bits;
            break;
        default:
            mode = (mode & ~step.who) | bits;
            break;
        }
    }
    return mode;
}

}  // namespace tools
