// SPDX-License-Identifier: GPL-2.0-only
#include "harness.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace bench {

namespace {

// Three digits that count, without an exponent.
std::string number(double value)
{
    char text[32];
    const double size = std::fabs(value);
    const int decimals = size >= 100 || size == 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
    std::snprintf(text, sizeof text, "%.*f", decimals, value);
    return text;
}

std::string number(const std::optional<double>& value)
{
    return value ? number(*value) : "-";
}

std::string text_of(const Target& target, const std::string& unit)
{
    std::string text = target.side == Target::Side::at_most ? "<= " : ">= ";
    text += number(target.limit);
    if (target.of == Target::Of::ours)
        text += " " + unit;
    return text;
}

void progress(const std::string& text)
{
    std::fprintf(stderr, "%s\n", text.c_str());
}

// Columns in characters; what is shown is UTF-8 free.
std::string padded(const std::string& text, size_t width, bool right)
{
    const std::string blanks(text.size() < width ? width - text.size() : 0, ' ');
    return right ? blanks + text : text + blanks;
}

}  // namespace

double median(std::vector<double> values)
{
    if (values.empty())
        throw std::logic_error("median of nothing");
    std::sort(values.begin(), values.end());
    const size_t middle = values.size() / 2;
    return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double now()
{
    timespec time;
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

std::optional<double> Row::our_median() const
{
    return ours.empty() ? std::nullopt : std::optional(median(ours));
}

std::optional<double> Row::peer_median() const
{
    return peer.empty() ? std::nullopt : std::optional(median(peer));
}

std::optional<double> Row::ratio() const
{
    if (ours.empty() || ours.size() != peer.size())
        return std::nullopt;
    std::vector<double> ratios;
    for (size_t i = 0; i < ours.size(); ++i)
        ratios.push_back(ours[i] / peer[i]);
    return median(std::move(ratios));
}

std::optional<bool> Row::reached() const
{
    if (!target)
        return std::nullopt;
    const auto value = target->of == Target::Of::ratio ? ratio() : our_median();
    if (!value)
        return std::nullopt;
    return target->side == Target::Side::at_most ? *value <= target->limit
                                                 : *value >= target->limit;
}

void Run::add(Row row, const Measure& ours, const Measure& peer)
{
    progress(row.name);
    ours();
    peer();
    for (int i = 0; i < rounds; ++i) {
        if (i % 2 == 0)
            row.ours.push_back(ours());
        row.peer.push_back(peer());
        if (i % 2 == 1)
            row.ours.push_back(ours());
        if (verbose)
            progress("  " + number(row.ours.back()) + " " + number(row.peer.back()) + " " +
                     row.unit);
    }
    rows_.push_back(std::move(row));
}

void Run::add(Row row, const Measure& ours)
{
    progress(row.name);
    ours();
    for (int i = 0; i < rounds; ++i) {
        row.ours.push_back(ours());
        if (verbose)
            progress("  " + number(row.ours.back()) + " " + row.unit);
    }
    rows_.push_back(std::move(row));
}

void Run::add(Row row)
{
    progress(row.name);
    rows_.push_back(std::move(row));
}

std::string table(const std::vector<Row>& rows)
{
    constexpr size_t columns = 7;
    using Line = std::array<std::string, columns>;
    std::vector<Line> lines{{"figure", "unit", "ours", "peer's", "ratio", "target", "reached"}};
    for (const Row& row : rows) {
        const auto reached = row.reached();
        lines.push_back({row.name, row.unit, number(row.our_median()), number(row.peer_median()),
                         number(row.ratio()), row.target ? text_of(*row.target, row.unit) : "",
                         !reached   ? ""
                         : *reached ? "yes"
                                    : "NO"});
        if (!row.skipped.empty())
            lines.back()[columns - 1] = (row.failed ? "FAILED: " : "skipped: ") + row.skipped;
    }
    std::array<size_t, columns> widths{};
    for (const Line& line : lines) {
        for (size_t i = 0; i + 1 < columns; ++i)
            widths[i] = std::max(widths[i], line[i].size());
    }
    std::string out;
    for (const Line& line : lines) {
        for (size_t i = 0; i < columns; ++i) {
            const bool right = i >= 2 && i <= 4;
            out += padded(line[i], i + 1 < columns ? widths[i] : 0, right);
            out += i + 1 < columns ? "  " : "\n";
        }
    }
    return out;
}

nlohmann::json json(const std::vector<Row>& rows)
{
    const auto value = [](const auto& optional) {
        return optional ? nlohmann::json(*optional) : nlohmann::json();
    };
    auto list = nlohmann::json::array();
    for (const Row& row : rows) {
        nlohmann::json line{
            {"figure", row.name},
            {"unit", row.unit},
            {"ours", value(row.our_median())},
            {"peer", value(row.peer_median())},
            {"peer_name", row.peer_name},
            {"ratio", value(row.ratio())},
            {"target", nullptr},
            {"reached", value(row.reached())},
            {"rounds", {{"ours", row.ours}, {"peer", row.peer}}},
        };
        if (row.target)
            line["target"] = {
                {"of", row.target->of == Target::Of::ratio ? "ratio" : "ours"},
                {row.target->side == Target::Side::at_most ? "at_most" : "at_least",
                 row.target->limit},
            };
        if (!row.note.empty())
            line["note"] = row.note;
        if (!row.skipped.empty())
            line[row.failed ? "failed" : "skipped"] = row.skipped;
        list.push_back(std::move(line));
    }
    return list;
}

}  // namespace bench
