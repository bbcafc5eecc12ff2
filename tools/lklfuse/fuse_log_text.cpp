// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/fuse_log_text.hpp"

#include <array>
#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <string_view>
#include <utility>

#include <fuse_log.h>

#include "common/report.hpp"

namespace tools::lklfuse {

namespace {

std::atomic<bool> shown{false};
std::mutex lock;
std::string last;
std::string begun;  // a line that comes in parts

void take_message(enum fuse_log_level level, const char* format, va_list arguments)
{
    std::array<char, 1024> buffer;
    std::vsnprintf(buffer.data(), buffer.size(), format, arguments);
    const std::lock_guard guard(lock);
    begun += buffer.data();
    if (!begun.ends_with('\n'))
        return;
    const std::string line = std::exchange(begun, {});
    std::string_view text = line;
    while (text.ends_with('\n'))
        text.remove_suffix(1);
    if (shown)
        report_log_line(escaped(text));
    if (level > FUSE_LOG_ERR)
        return;
    if (text.starts_with("fuse: "))
        text.remove_prefix(6);
    last = text;
}

}  // namespace

void catch_fuse_log(bool show)
{
    shown = show;
    fuse_set_log_func(take_message);
}

std::string take_fuse_error()
{
    const std::lock_guard guard(lock);
    return std::exchange(last, {});
}

}  // namespace tools::lklfuse
