// SPDX-License-Identifier: GPL-2.0-only
#include "capi/guarded.hpp"

#include <exception>
#include <new>
#include <string>
#include <system_error>

#include <lkl/asm/errno.h>

#include "capi/errors.hpp"

namespace lkl::capi {

int fail_for_null(const char* function) noexcept
try {
    return fail(LKL_EINVAL, std::string(function) + ": a pointer is null");
} catch (const std::bad_alloc&) {
    return -LKL_EINVAL;
}

int fail_for_exception(const char* function) noexcept
try {
    const std::string what = std::string(function) + ": ";
    try {
        throw;
    } catch (const std::system_error& error) {
        return fail(error.code().value() > 0 ? error.code().value() : LKL_EIO, what + error.what());
    } catch (const std::bad_alloc&) {
        return fail(LKL_ENOMEM, what + "no memory");
    } catch (const std::exception& error) {
        return fail(LKL_EINVAL, what + error.what());
    } catch (...) {
        return fail(LKL_EIO, what + "unknown exception");
    }
} catch (const std::exception&) {
    return -LKL_ENOMEM;  // not even for the text
}

}  // namespace lkl::capi
