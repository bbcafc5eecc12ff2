// SPDX-License-Identifier: GPL-2.0-only
// The half of splice(2) that sendfile(2) has as well.
#pragma once

#include <cstddef>

#include "hijack/calls/end.hpp"

namespace hijack::calls {

// From what is ours into a pipe of the host, as splice(2) does it; from *offset on where it is
// not null, which moves on then. The caller is Inside.
long ours_to_pipe(const End& out, const End& in, long* offset, size_t size, unsigned flags);

}  // namespace hijack::calls
