// SPDX-License-Identifier: GPL-2.0-only
// poll(2), select(2) and their like over descriptors of the host and of our kernel.
// System calls, as hijack/calls/rules.hpp has them.
#pragma once

namespace hijack::polls {

long poll(const long* args);
long ppoll(const long* args);
long select(const long* args);
long pselect6(const long* args);

}  // namespace hijack::polls
