// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/mode_change.hpp"

#include <algorithm>
#include <charconv>

namespace tools {

namespace {

constexpr uint32_t all_bits = 07777;
constexpr uint32_t set_id_bits = 06000;
constexpr uint32_t execute_bits = 0111;
constexpr std::string_view operations = "+-=";

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
        return all_bits;
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

// What any class has, for all.
constexpr uint32_t for_all(uint32_t bits)
{
    const uint32_t any = (bits | bits >> 3 | bits >> 6) & 07;
    return any << 6 | any << 3 | any;
}

}  // namespace

std::optional<ModeChange::Step> ModeChange::parse_number(std::string_view text)
{
    // Only digits: from_chars() takes a minus as well, of nothing too.
    if (text.empty() || text.find_first_not_of("01234567") != std::string_view::npos)
        return std::nullopt;
    Step step;
    const auto number = std::from_chars(text.data(), text.data() + text.size(), step.bits, 8);
    if (number.ec != std::errc() || step.bits > all_bits)
        return std::nullopt;
    step.who = step.limit = all_bits;
    step.named = text.size() < 5 ? step.bits : all_bits;
    return step;
}

// What stands behind an operation.
bool ModeChange::parse_permissions(std::string_view text, Step& step)
{
    if (text == "u" || text == "g" || text == "o") {
        step.copy = true;
        step.bits = bits_of_class(text.front()) & 0777;
        return true;
    }
    for (const char permission : text) {
        if (permission == 'X')
            step.execute_if_any = true;
        else if (bits_of_permission(permission) == 0)
            return false;
        step.bits |= bits_of_permission(permission);
    }
    return true;
}

// Between commas: who, and what is done to these, one after the other.
bool ModeChange::parse_clause(std::string_view text, uint32_t mask)
{
    size_t operation = text.find_first_of(operations);
    if (operation == std::string_view::npos)
        return false;
    uint32_t who = 0;
    for (const char one : text.substr(0, operation)) {
        if (bits_of_class(one) == 0)
            return false;
        who |= bits_of_class(one);
    }
    while (operation < text.size()) {
        const size_t next = std::min(text.find_first_of(operations, operation + 1), text.size());
        const std::string_view permissions = text.substr(operation + 1, next - operation - 1);
        Step step;
        if (const auto number = parse_number(permissions)) {
            // It is for all, and the last.
            if (who != 0 || next != text.size())
                return false;
            step = *number;
            step.named = all_bits;
        } else {
            if (!parse_permissions(permissions, step))
                return false;
            step.who = who == 0 ? all_bits : who;
            step.limit = who == 0 ? all_bits & ~mask : who;
            step.named = step.bits & step.who;
        }
        step.operation = text[operation];
        steps_.push_back(step);
        operation = next;
    }
    return true;
}

std::optional<ModeChange> ModeChange::parse(std::string_view text, uint32_t mask)
{
    ModeChange change;
    if (const auto number = parse_number(text)) {
        change.steps_.push_back(*number);
        return change;
    }
    for (;;) {
        const size_t comma = text.find(',');
        if (!change.parse_clause(text.substr(0, comma), mask))
            return std::nullopt;
        if (comma == std::string_view::npos)
            return change;
        text.remove_prefix(comma + 1);
    }
}

uint32_t ModeChange::apply(uint32_t mode, bool directory) const
{
    for (const Step& step : steps_) {
        uint32_t bits = step.copy ? for_all(mode & step.bits) : step.bits;
        if (step.execute_if_any && (directory || (mode & execute_bits) != 0))
            bits |= execute_bits;
        const uint32_t kept = directory ? set_id_bits & ~step.named : 0;
        bits &= step.limit & ~kept;
        switch (step.operation) {
        case '+':
            mode |= bits;
            break;
        case '-':
            mode &= ~bits;
            break;
        default:
            mode = (mode & (~step.who | kept)) | bits;
            break;
        }
    }
    return mode;
}

}  // namespace tools
