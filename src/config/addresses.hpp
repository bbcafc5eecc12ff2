// SPDX-License-Identifier: GPL-2.0-only
// Addresses among the settings.
#pragma once

#include <optional>
#include <utility>

#include <lkl/ip_address.hpp>

#include "config/configuration.hpp"

namespace lkl::config {

// "ADDRESS/LENGTH", or "ADDRESS" with the length in a text of its own. An Error's text
// begins with `what`.
lkl::Result<lkl::IpPrefix> parse_prefix(const std::string& what, const std::string& text,
                                        const std::string& length);

// Of the given family.
lkl::Result<lkl::IpAddress> parse_address(const std::string& what, const std::string& text,
                                          bool v6);

// "ADDRESS|MAC".
lkl::Result<std::pair<lkl::IpAddress, lkl::MacAddress>> parse_neighbour(const std::string& text);

// A number of at most `most`, and at least `least`.
lkl::Result<unsigned> parse_number(const std::string& what, const std::string& text, unsigned least,
                                   unsigned most);

}  // namespace lkl::config
