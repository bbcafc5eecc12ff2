// SPDX-License-Identifier: GPL-2.0-only
// The network interfaces of virtio devices in a running kernel.
#pragma once

#include <functional>
#include <map>
#include <string>

#include <lkl/result.hpp>

namespace lkl {

// Their ifindex by the name of the device that they belong to ("virtio3"), as the
// calling thread's network namespace has them. `call` makes a system call. Errors: the
// kernel's.
Result<std::map<std::string, int>> virtio_interfaces(
    const std::function<long(long number, const long* args)>& call);

}  // namespace lkl
