// SPDX-License-Identifier: GPL-2.0-only
// Printing, for the program that asks for it: the library itself prints nothing.
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <lkl.h>

#include "capi/default_kernel.hpp"
#include "capi/guarded.hpp"

namespace {

using lkl::capi::guarded;

int print(const char* format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    const int length = std::vsnprintf(nullptr, 0, format, again);
    va_end(again);
    if (length < 0)
        return -LKL_EINVAL;
    std::string text(static_cast<size_t>(length) + 1, '\0');
    std::vsnprintf(text.data(), text.size(), format, arguments);

    const lkl_host_operations* const host = lkl::capi::state().host;
    if (host != nullptr && host->print != nullptr)
        host->print(text.c_str(), length);
    else
        lkl_print_to_stderr(text.c_str(), length);
    return length;
}

}  // namespace

extern "C" {

struct lkl_host_operations lkl_host_ops = {};

void lkl_print_to_stderr(const char* str, int len)
{
    if (str != nullptr && len > 0)
        std::fwrite(str, 1, static_cast<size_t>(len), stderr);
}

int lkl_printf(const char* fmt, ...)
{
    va_list arguments;
    va_start(arguments, fmt);
    const int result = guarded(__func__, {fmt}, [&] { return print(fmt, arguments); });
    va_end(arguments);
    return result;
}

void lkl_bug(const char* fmt, ...)
{
    va_list arguments;
    va_start(arguments, fmt);
    guarded(__func__, {fmt}, [&] { return print(fmt, arguments); });
    va_end(arguments);

    const lkl_host_operations* const host = lkl::capi::state().host;
    if (host != nullptr && host->panic != nullptr)
        host->panic();
    std::abort();
}

}  // extern "C"
