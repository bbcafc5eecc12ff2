// SPDX-License-Identifier: GPL-2.0-only
// Libraries that are loaded when a back end asks for them, so that nobody else needs
// them installed.
#pragma once

#include <string>

#include <dlfcn.h>

#include <lkl/result.hpp>

namespace lkl::net {

class Library {
public:
    explicit Library(const char* name) noexcept
        : name_(name), handle_(::dlopen(name, RTLD_NOW | RTLD_LOCAL))
    {
    }
    // It stays loaded: libraries of this kind are not made to go away.
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    // False, here and later: it is missing, or too old.
    bool good() const noexcept { return handle_ != nullptr; }
    Error missing() const { return {EOPNOTSUPP, name_ + ": it is not installed, or too old"}; }

    template <typename Function>
    void find(Function*& function, const char* name) noexcept
    {
        function = handle_ ? reinterpret_cast<Function*>(::dlsym(handle_, name)) : nullptr;
        if (!function)
            handle_ = nullptr;
    }

private:
    const std::string name_;
    void* handle_;
};

}  // namespace lkl::net
