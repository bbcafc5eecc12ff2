// SPDX-License-Identifier: GPL-2.0-only
#include "capi/command_line.hpp"

#include <charconv>
#include <optional>
#include <string>

#include <lkl/asm/errno.h>

namespace lkl::capi {

namespace {

constexpr std::string_view blanks = " \t\n";

// The kernel's memparse(): decimal, 0x or 0 in front for other bases.
std::optional<uint64_t> parse_size(std::string_view text)
{
    int base = 10;
    if (text.starts_with("0x") || text.starts_with("0X")) {
        base = 16;
        text.remove_prefix(2);
    } else if (text.size() > 1 && text[0] == '0') {
        base = 8;
    }
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{})
        return std::nullopt;
    const std::string_view suffix = text.substr(static_cast<size_t>(end - text.data()));
    if (suffix.empty())
        return value;
    const size_t order = std::string_view("KMG").find(static_cast<char>(suffix[0] & ~0x20));
    if (suffix.size() != 1 || order == std::string_view::npos)
        return std::nullopt;
    const unsigned shift = 10 * (static_cast<unsigned>(order) + 1);
    if (value > (~uint64_t{0} >> shift))
        return std::nullopt;
    return value << shift;
}

// The length of the first word. A blank inside double quotes belongs to it, as
// for the kernel (lib/cmdline.c, next_arg()).
size_t word_length(std::string_view text)
{
    bool quoted = false;
    size_t length = 0;
    for (; length < text.size(); length++) {
        if (text[length] == '"')
            quoted = !quoted;
        else if (!quoted && blanks.find(text[length]) != std::string_view::npos)
            break;
    }
    return length;
}

}  // namespace

Result<KernelOptions> parse_command_line(std::string_view text)
{
    constexpr std::string_view memory = "mem=";
    KernelOptions options;
    bool for_init = false;
    for (;;) {
        const size_t start = text.find_first_not_of(blanks);
        if (start == std::string_view::npos)
            break;
        text.remove_prefix(start);
        const std::string_view word = text.substr(0, word_length(text));
        text.remove_prefix(word.size());
        if (word == "--")
            for_init = true;
        if (!for_init && word.starts_with(memory)) {
            const auto size = parse_size(word.substr(memory.size()));
            if (!size)
                return Error{LKL_EINVAL,
                             "kernel command line: " + std::string(word) + ": not a size"};
            options.memory = *size;
            continue;
        }
        if (!options.command_line.empty())
            options.command_line += ' ';
        options.command_line += word;
    }
    return options;
}

}  // namespace lkl::capi
