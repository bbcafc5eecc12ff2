// SPDX-License-Identifier: GPL-2.0-only
// The options of a subcommand. (Commands describe them by this, not by CLI11 itself: each
// file that includes all of CLI11 takes a quarter of a minute to compile.)
#pragma once

#include <cstdint>
#include <string>
#include <vector>

// NOLINTNEXTLINE(readability-identifier-naming): of CLI11
namespace CLI {
class App;
}

namespace tools::lkl_tool {

// What it is told about must stay where it is. names: "-r,--recursive".
class Subcommand {
public:
    Subcommand(CLI::App& parent, const std::string& name, const std::string& description);

    // -h is an option of its own: help is --help alone. Before that option.
    void help_is_long();
    // All that is no option of its own, and all behind that, is for rest().
    void take_rest();
    std::vector<std::string> rest() const;

    void flag(const std::string& names, bool& value, const std::string& description);
    // An option that switches off what is on.
    void off(const std::string& names, bool& value, const std::string& description);
    // value: the argument's name in --help.
    void option(const std::string& names, std::string& target, const std::string& value,
                const std::string& description);
    // An option that may be given several times.
    void list(const std::string& names, std::vector<std::string>& target, const std::string& value,
              const std::string& description);
    // One of several words, of which the target holds the usual one.
    void choice(const std::string& names, std::string& target,
                const std::vector<std::string>& words, const std::string& value,
                const std::string& description);
    // A number, `least` at least.
    void option(const std::string& names, uint64_t& target, uint64_t least,
                const std::string& value, const std::string& description);
    // These two do not go together.
    void excludes(const std::string& one, const std::string& other);
    void operands(std::vector<std::string>& target, const std::string& value,
                  const std::string& description, bool required = true);
    // Below the options in --help.
    void notes(const std::string& text);

private:
    CLI::App& app_;
};

}  // namespace tools::lkl_tool
