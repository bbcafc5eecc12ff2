// SPDX-License-Identifier: GPL-2.0-only
// What has to succeed for a test to go on.
#pragma once

#include <stdexcept>
#include <type_traits>
#include <utility>

#include <lkl/result.hpp>

namespace lkl::test {

// The value. Throws std::runtime_error with the error's text.
template <typename T>
T must(Result<T> result)
{
    if (!result)
        throw std::runtime_error(result.error().what);
    if constexpr (!std::is_void_v<T>)
        return *std::move(result);
}

}  // namespace lkl::test
