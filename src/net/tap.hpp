// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <memory>
#include <vector>

#include <lkl/packet.hpp>
#include <lkl/result.hpp>

#include <platform/posix/descriptor.hpp>

namespace lkl::net {

// A back end of descriptors that are attached to one tap interface, or macvtap's. The
// rest of `info` is found out; a name is for error texts.
Result<std::unique_ptr<NetBackend>> make_tap(std::vector<posix::Descriptor> files, NetInfo info);

}  // namespace lkl::net
