// SPDX-License-Identifier: GPL-2.0-only
// Which stack answers getsockopt() of a packetdrill that has this library as LD_PRELOAD.
#pragma once

#include "packetdrill/stack.hpp"

namespace packetdrill {

// From now on that one; null: the host's alone.
void answer_by(Stack* stack);

}  // namespace packetdrill
