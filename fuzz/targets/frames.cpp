// SPDX-License-Identifier: GPL-2.0-only
// A libFuzzer target: see fuzz/library/frames.hpp.
#include <cstddef>
#include <cstdint>
#include <span>

#include "../library/frames.hpp"
#include "../library/hints.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    using namespace lkl::fuzz;
    static FramesTarget& target = must_start(FramesTarget::start());
    run_with_hints(target, std::span(data, size));
    return 0;
}
