// SPDX-License-Identifier: GPL-2.0-only
// The command line of `lkl run`, and the configuration that it makes.
#pragma once

#include <string>
#include <vector>

#include "config/configuration.hpp"
#include "lkl/subcommand.hpp"

namespace tools::run {

class Options {
public:
    explicit Options(CLI::App& parent);

    // From --config, LKL_HIJACK_* and the options, the last of them over the others.
    // Throws ToolError, ExitCode::usage: what is wrong.
    lkl::config::Configuration configuration() const;
    // The program and its arguments. Throws ToolError if there is none.
    std::vector<std::string> program() const;

private:
    void add_to(lkl::config::Configuration& configuration) const;

    lkl_tool::Subcommand command_;
    std::string net_, ip_, ip6_, gateway_, gateway6_, dns_, mac_, mtu_, qdisc_, congestion_;
    std::string neighbours_, file_, memory_, boot_cmdline_, pcap_;
    std::vector<std::string> sysctls_, images_;
    bool dispatch_ = true;
    bool log_ = false;
    bool dhcp_ = false;
};

}  // namespace tools::run
