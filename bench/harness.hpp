// SPDX-License-Identifier: GPL-2.0-only
// What figures are made of: interleaved rounds, medians, targets, and the table.
//
// Machines are shared and change their speed while one looks. So ours and the
// peer are measured in turns (A B, B A, A B, ...), and what counts is the median of
// the ratios of the rounds: whatever disturbs for longer than a round disturbs both.
#pragma once

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace bench {

// The figure cannot be measured here; the text says why ("needs root").
struct Skipped : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// What must be reached: by the ratio ours/peer, or by our own value.
struct Target {
    enum class Of { ratio, ours };
    enum class Side { at_most, at_least };
    Of of = Of::ratio;
    Side side = Side::at_most;
    double limit = 0;
};

constexpr Target ratio_at_most(double limit)
{
    return {Target::Of::ratio, Target::Side::at_most, limit};
}
constexpr Target ratio_at_least(double limit)
{
    return {Target::Of::ratio, Target::Side::at_least, limit};
}
constexpr Target at_most(double limit)
{
    return {Target::Of::ours, Target::Side::at_most, limit};
}

constexpr Target at_least(double limit)
{
    return {Target::Of::ours, Target::Side::at_least, limit};
}

// A line of the table. ours and peer have one value a round, or are empty; a line
// without a target is there for information.
struct Row {
    std::string name{};
    std::string unit{};
    std::string peer_name{};
    std::vector<double> ours{};
    std::vector<double> peer{};
    std::optional<Target> target{};
    std::string note{};     // what else one has to know, such as the driver in use
    std::string skipped{};  // why there are no values
    bool failed = false;    // skipped, but not for lack of something

    std::optional<double> our_median() const;
    std::optional<double> peer_median() const;
    std::optional<double> ratio() const;
    std::optional<bool> reached() const;
};

double median(std::vector<double> values);

// Gives one value; what is to be prepared for it is its own matter.
using Measure = std::function<double()>;

// Settings, and the lines so far.
class Run {
public:
    int rounds = 5;
    std::string directory;  // for images; removed by the caller
    std::string programs;   // where lkl-bench-boot and the tools are
    bool verbose = false;

    // Measures ours and the peer in turns, after one turn of each that does not
    // count. The name of what is measured is for progress on stderr.
    void add(Row row, const Measure& ours, const Measure& peer);
    // Without a peer.
    void add(Row row, const Measure& ours);
    // With values of its own.
    void add(Row row);

    const std::vector<Row>& rows() const { return rows_; }

private:
    std::vector<Row> rows_;
};

// A group of lines that is measured together.
struct Figure {
    const char* name;
    const char* what;
    void (*measure)(Run& run);
};

std::string table(const std::vector<Row>& rows);
nlohmann::json json(const std::vector<Row>& rows);

// Seconds that the function takes.
template <typename Function>
double seconds(Function&& function);

double now();  // seconds of the monotonic clock

template <typename Function>
double seconds(Function&& function)
{
    const double start = now();
    function();
    return now() - start;
}

}  // namespace bench
