// SPDX-License-Identifier: GPL-2.0-only
// What stands around a function of C: no null pointer goes in, and no exception comes out,
// which the caller's code may have no tables to be unwound by.
#pragma once

#include <initializer_list>
#include <type_traits>

#include <cxxabi.h>

namespace lkl::capi {

// Negative error numbers, and lkl_error_message() names the function.
int fail_for_null(const char* function) noexcept;
// Of the exception that is being handled.
int fail_for_exception(const char* function) noexcept;

// body(), unless one of `pointers` is null; -LKL_EINVAL then. What it throws is a negative
// error number as well. Where the body gives a pointer, both are null. `function` is the
// name, for lkl_error_message().
template <typename Body>
auto guarded(const char* function, std::initializer_list<const void*> pointers, Body body)
    -> decltype(body())
{
    using Value = decltype(body());
    const auto failed = [](int error) -> Value {
        if constexpr (std::is_pointer_v<Value>)
            return nullptr;
        else
            return static_cast<Value>(error);
    };
    for (const void* const pointer : pointers)
        if (pointer == nullptr)
            return failed(fail_for_null(function));
    try {
        return body();
    } catch (const abi::__forced_unwind&) {
        throw;  // the end of a thread, by pthread_exit(3) in a callback or pthread_cancel(3)
    } catch (...) {
        return failed(fail_for_exception(function));
    }
}

}  // namespace lkl::capi
