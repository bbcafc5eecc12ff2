// SPDX-License-Identifier: GPL-2.0-only
#include "common/kernel_log.hpp"

#include "common/report.hpp"

namespace tools {

namespace {

// What is kept, in bytes.
constexpr size_t log_size = size_t{16} << 10;

// "<3>[    0.123456] EXT4-fs (vda): ..." without level and time. What stands further
// on than those would is not theirs; npos is further than all.
std::string_view without_prefix(std::string_view line)
{
    if (line.starts_with('<')) {
        const size_t end = line.find('>');
        if (end <= 4)
            line.remove_prefix(end + 1);
    }
    if (line.starts_with('[')) {
        const size_t end = line.find("] ");
        if (end <= 32)
            line.remove_prefix(end + 2);
    }
    return line;
}

bool speaks_of_error(std::string_view line)
{
    for (const std::string_view word : {"rror", "ailed", "orrupt", "nvalid", "annot", "an't",
                                        "nsupported", "nrecognized", "nknown", "nable to", "ad "}) {
        if (line.find(word) != std::string_view::npos)
            return true;
    }
    return false;
}

}  // namespace

std::function<void(std::string_view)> KernelLog::listener()
{
    return [this](std::string_view text) { add(text); };
}

void KernelLog::add(std::string_view text)
{
    if (also_)
        also_(text);
    while (!text.empty()) {
        const size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (!line.empty())
            add_line(line);
    }
}

void KernelLog::add_line(std::string_view line)
{
    if (show_)
        report_log_line(escaped(line));
    const std::lock_guard guard(lock_);
    lines_ += line;
    lines_ += '\n';
    if (lines_.size() > 2 * log_size) {
        const size_t cut = lines_.find('\n', lines_.size() - log_size);
        lines_.erase(0, cut + 1);
    }
}

void KernelLog::clear()
{
    const std::lock_guard guard(lock_);
    lines_.clear();
}

std::string KernelLog::explanation(std::string_view subject) const
{
    constexpr size_t few = 8;
    const std::lock_guard guard(lock_);
    std::string_view named_error;
    std::string_view any_error;
    size_t named = 0;
    size_t any = 0;
    // From the last line to the first.
    std::string_view rest = lines_;
    while (!rest.empty() && (named < few || any < few)) {
        rest.remove_suffix(1);                      // the newline
        const size_t start = rest.rfind('\n') + 1;  // npos + 1 is 0
        const std::string_view line = without_prefix(rest.substr(start));
        rest = rest.substr(0, start);
        const bool error = speaks_of_error(line);
        if (any++ < few && error)
            any_error = line;
        if (line.find(subject) != std::string_view::npos && named++ < few && error)
            named_error = line;
    }
    return std::string(named_error.empty() ? any_error : named_error);
}

std::string KernelLog::line(std::string_view start) const
{
    const std::lock_guard guard(lock_);
    std::string_view rest = lines_;
    while (!rest.empty()) {
        const size_t end = rest.find('\n');
        const std::string_view line = without_prefix(rest.substr(0, end));
        if (line.starts_with(start))
            return std::string(line);
        rest.remove_prefix(end + 1);
    }
    return {};
}

std::string panic_reason(std::string_view log)
{
    // The first that stands there is the cause; a panic may follow from it.
    for (const std::string_view mark : {"BUG: ", "kernel BUG at", "Oops", "Kernel panic"}) {
        const size_t at = log.find(mark);
        if (at == std::string_view::npos)
            continue;
        const size_t start = log.rfind('\n', at) + 1;  // npos + 1 is 0
        return std::string(without_prefix(log.substr(start, log.find('\n', at) - start)));
    }
    const size_t end = log.find_last_not_of('\n');
    if (end == std::string_view::npos)
        return {};
    log = log.substr(0, end + 1);
    return std::string(without_prefix(log.substr(log.rfind('\n') + 1)));
}

}  // namespace tools
