// SPDX-License-Identifier: GPL-2.0-only
// A libFuzzer target: see fuzz/library/system_calls.hpp.
#include <cstddef>
#include <cstdint>
#include <span>

#include "../library/hints.hpp"
#include "../library/system_calls.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    using namespace lkl::fuzz;
    static SystemCallTarget& target = must_start(SystemCallTarget::start());
    run_with_hints(target, std::span(data, size));
    return 0;
}
