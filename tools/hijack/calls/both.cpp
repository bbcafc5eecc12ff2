// SPDX-License-Identifier: GPL-2.0-only
// System calls that are done on both sides: they concern all files, whose they may be.
#include <charconv>
#include <string_view>

#include <fcntl.h>

#include <lkl/asm/unistd.h>

#include "hijack/calls/rules.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/stack.hpp"

namespace hijack::calls {

namespace {

// The process's own umask(2), which that call itself would change to tell. -1: /proc is not
// there.
long host_file_mask()
{
    const long file = host::call(SYS_openat, AT_FDCWD, "/proc/self/status", O_RDONLY | O_CLOEXEC);
    char text[4096];
    const long n = host::call(SYS_read, file, text, sizeof text);
    host::call(SYS_close, file);
    const std::string_view status(text, n > 0 ? static_cast<size_t>(n) : 0);
    constexpr std::string_view name = "\nUmask:\t";
    const size_t at = status.find(name);
    long mask = -1;
    if (at != status.npos)
        std::from_chars(status.data() + at + name.size(), status.data() + status.size(), mask, 8);
    return mask;
}

}  // namespace

void copy_file_mask()
{
    if (const long mask = host_file_mask(); mask >= 0)
        stack::call(__lkl__NR_umask, mask);
}

long umask(const long* args)
{
    const Inside inside;
    if (stack::is_up())
        stack::call(__lkl__NR_umask, args[0]);
    return host::raw(SYS_umask, args);
}

long sync(const long* args)
{
    const Inside inside;
    if (stack::is_up())
        stack::call(__lkl__NR_sync);
    return host::raw(SYS_sync, args);
}

}  // namespace hijack::calls
