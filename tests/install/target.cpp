// SPDX-License-Identifier: GPL-2.0-only
//
// A fuzz target as somebody else would write it. One that is not linked by a fuzzer has a
// main() of its own, which runs it on three inputs.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <span>

#include <lkl/asm/unistd.h>
#include <lkl/fuzz/input.hpp>
#include <lkl/fuzz/machine.hpp>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    using namespace lkl::fuzz;
    static Machine& machine = must_start(Machine::start({}));
    Input input(std::span(data, size));
    machine.execute([&](lkl::Kernel& kernel) {
        // What the kernel had before the snapshot, whatever the last input did.
        const long before = kernel.syscall(__lkl__NR_umask, input.byte() & 077);
        if (before != 022) {
            std::cerr << "umask of an earlier input: " << before << '\n';
            std::abort();
        }
    });
    return 0;
}

#ifdef WITH_MAIN
int main()
{
    for (const uint8_t byte : {007, 070, 077})
        LLVMFuzzerTestOneInput(&byte, 1);
    return 0;
}
#endif
