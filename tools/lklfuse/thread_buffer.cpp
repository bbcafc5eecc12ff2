// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/thread_buffer.hpp"

#include <lkl/asm-generic/mman-common.h>
#include <lkl/linux/mman.h>

namespace tools::lklfuse {

namespace {

// Its threads die before the kernel does.
struct Mapping {
    Inner* inner = nullptr;
    std::byte* start = nullptr;

    ~Mapping()
    {
        if (start != nullptr)
            inner->call(__lkl__NR_munmap, start, most_read);
    }
};

}  // namespace

std::byte* thread_buffer(Inner& inner)
{
    thread_local Mapping mapping;
    if (mapping.start == nullptr) {
        const long address =
            inner.call(__lkl__NR_mmap, nullptr, most_read, LKL_PROT_READ | LKL_PROT_WRITE,
                       LKL_MAP_PRIVATE | LKL_MAP_ANONYMOUS | LKL_MAP_POPULATE, -1, 0);
        if (address >= 0) {
            mapping.inner = &inner;
            // NOLINTNEXTLINE(performance-no-int-to-ptr): a call gives an address or an error
            mapping.start = reinterpret_cast<std::byte*>(address);
        }
    }
    return mapping.start;
}

}  // namespace tools::lklfuse
