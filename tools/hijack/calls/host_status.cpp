// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/calls/host_status.hpp"

#include <algorithm>
#include <charconv>

#include <fcntl.h>

#include "hijack/preload/host.hpp"

namespace hijack {

std::optional<long> host_status(std::string_view name, int base)
{
    const long file =
        host::call(SYS_openat, AT_FDCWD, "/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return {};
    char text[4096];
    const long n = host::call(SYS_read, file, text, sizeof text);
    host::call(SYS_close, file);
    std::string_view rest(text, n > 0 ? static_cast<size_t>(n) : 0);
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        if (!line.starts_with(name) || !line.substr(name.size()).starts_with(":\t"))
            continue;
        long value = 0;
        const auto [end, error] =
            std::from_chars(line.data() + name.size() + 2, line.data() + line.size(), value, base);
        return error == std::errc() ? std::optional(value) : std::nullopt;
    }
    return {};
}

}  // namespace hijack
