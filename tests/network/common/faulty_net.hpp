// SPDX-License-Identifier: GPL-2.0-only
// A bad network: what is sent gets lost, doubled, late, and so out of order.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include <lkl/packet.hpp>

namespace lkl::test {

struct Faults {
    double loss = 0;         // of all packets
    double duplication = 0;  // of all packets
    double reordering = 0;   // of all packets are later than the others, by `late`
    std::chrono::microseconds delay{0};
    std::chrono::microseconds late{0};
    uint64_t seed = 1;
};

// What faults have happened.
struct FaultCounts {
    uint64_t lost = 0, doubled = 0, reordered = 0;
};

// Over `base`, with a thread of its own. `counts` outlives it, and is read after it.
std::unique_ptr<NetBackend> make_faulty(std::unique_ptr<NetBackend> base, const Faults& faults,
                                        FaultCounts& counts);

}  // namespace lkl::test
