// SPDX-License-Identifier: GPL-2.0-only
// The types of network devices, and what may stand behind their names.
#pragma once

#include <string>
#include <utility>

#include <lkl/net.hpp>

#include "config/configuration.hpp"

namespace lkl::config {

// EINVAL: no such type, none that is built in, or it cannot be with that parameter.
lkl::Result<void> check_device(const std::string& type, const std::string& parameter);

// It is asked for, or the type's network gives addresses in no other way and none is set.
bool wants_dhcp(const Interface& interface);

// "PATH|PATH": the fifo to read and the one to write.
lkl::Result<std::pair<std::string, std::string>> parse_pipes(const std::string& parameter);

// The number of an open descriptor.
lkl::Result<int> parse_descriptor(const std::string& parameter);

// The path of a socket, or options of passt(1), the first of which begins with '-'.
lkl::PasstOptions parse_passt(const std::string& parameter);

// In the words of QEMU, separated by commas: "restrict=on" and any number of
// "hostfwd=tcp:HOST_ADDRESS:HOST_PORT-:PORT" (or udp; an empty address is 127.0.0.1).
lkl::Result<lkl::SlirpOptions> parse_slirp(const std::string& parameter);

}  // namespace lkl::config
