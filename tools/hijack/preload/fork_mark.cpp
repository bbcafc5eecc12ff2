// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/preload/fork_mark.hpp"

#include <linux/mman.h>
#include <sys/mman.h>

#include "hijack/preload/host.hpp"

namespace hijack::fork_mark {

namespace {

constexpr size_t page_size = 4096;

constexpr char never_wiped = 1;
volatile char* wiped = nullptr;
long process = 0;

}  // namespace

const volatile char* byte = &never_wiped;

void prepare()
{
    process = host::call(SYS_getpid);
    const long page = host::call(SYS_mmap, nullptr, page_size, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page < 0 || host::call(SYS_madvise, page, page_size, MADV_WIPEONFORK) < 0)
        return;
    wiped = host::to_pointer<char>(page);
    set();
    byte = wiped;
}

void set()
{
    process = host::call(SYS_getpid);
    if (wiped)
        *wiped = 1;
}

bool is_own_memory()
{
    return host::call(SYS_getpid) == process;
}

}  // namespace hijack::fork_mark
