// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/preload/message.hpp"

#include <string>

#include <unistd.h>

#include "hijack/preload/host.hpp"

namespace hijack {

void message_raw(std::string_view line)
{
    std::string text(line);
    if (!text.ends_with('\n'))
        text += '\n';
    host::call(SYS_write, STDERR_FILENO, text.data(), text.size());
}

void message(std::string_view text)
{
    message_raw("lkl run: " + std::string(text));
}

void MessageOnce::operator()(std::string_view text)
{
    const long process = host::call(SYS_getpid);
    if (last_process_.exchange(process) != process)
        message(text);
}

}  // namespace hijack
