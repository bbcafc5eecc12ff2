// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/subcommand.hpp"

#include <limits>

#include <CLI/CLI.hpp>

namespace tools::lkl_tool {

Subcommand::Subcommand(CLI::App& parent, const std::string& name, const std::string& description)
    : app_(*parent.add_subcommand(name, description))
{
}

void Subcommand::help_is_long()
{
    app_.set_help_flag("--help", "Print this help message and exit");
}

void Subcommand::take_rest()
{
    app_.fallthrough(false);
    app_.prefix_command();
}

std::vector<std::string> Subcommand::rest() const
{
    return app_.remaining();
}

void Subcommand::flag(const std::string& names, bool& value, const std::string& description)
{
    app_.add_flag(names, value, description);
}

void Subcommand::off(const std::string& names, bool& value, const std::string& description)
{
    app_.add_flag_callback(
        names, [&value] { value = false; }, description);
}

void Subcommand::option(const std::string& names, std::string& target, const std::string& value,
                        const std::string& description)
{
    app_.add_option(names, target, description)->option_text(value);
}

void Subcommand::list(const std::string& names, std::vector<std::string>& target,
                      const std::string& value, const std::string& description)
{
    app_.add_option(names, target, description)
        ->option_text(value)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void Subcommand::choice(const std::string& names, std::string& target,
                        const std::vector<std::string>& words, const std::string& value,
                        const std::string& description)
{
    app_.add_option(names, target, description)->option_text(value)->check(CLI::IsMember(words));
}

void Subcommand::option(const std::string& names, uint64_t& target, uint64_t least,
                        const std::string& value, const std::string& description)
{
    app_.add_option(names, target, description)
        ->option_text(value)
        ->check(CLI::Range(least, std::numeric_limits<uint64_t>::max()));
}

void Subcommand::excludes(const std::string& one, const std::string& other)
{
    app_.get_option(one)->excludes(app_.get_option(other));
}

void Subcommand::operands(std::vector<std::string>& target, const std::string& value,
                          const std::string& description, bool required)
{
    app_.add_option("FILE", target, description)->option_text(value)->required(required);
}

void Subcommand::notes(const std::string& text)
{
    app_.footer(text);
}

}  // namespace tools::lkl_tool
