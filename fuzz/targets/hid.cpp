// SPDX-License-Identifier: GPL-2.0-only
// A libFuzzer target: see fuzz/library/hid.hpp.
#include <cstddef>
#include <cstdint>
#include <span>

#include "../library/hid.hpp"
#include "../library/hints.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    using namespace lkl::fuzz;
    static HidTarget& target = must_start(HidTarget::start());
    run_with_hints(target, std::span(data, size));
    return 0;
}
