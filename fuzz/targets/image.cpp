// SPDX-License-Identifier: GPL-2.0-only
// A libFuzzer target for one file system type, LKL_FUZZ_TYPE: see fuzz/library/image_target.hpp.
#include <cstddef>
#include <cstdint>
#include <span>

#include "../library/hints.hpp"
#include "../library/image_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    using namespace lkl::fuzz;
    static ImageTarget& target = must_start([]() -> lkl::Result<std::unique_ptr<ImageTarget>> {
        auto bases = find_bases(LKL_FUZZ_TYPE);
        if (!bases)
            return std::move(bases).error();
        return ImageTarget::start(LKL_FUZZ_TYPE, *bases);
    }());
    run_with_hints(target, std::span(data, size));
    return 0;
}
