// SPDX-License-Identifier: GPL-2.0-only
// Result<T>: a value or an Error, in the shape of C++23's std::expected.
#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace lkl {

// What went wrong. `code` is a positive errno value of the Linux kernel's
// generic numbering; `what` is one line without a newline that names the
// operation and the object, ready to be shown to a person.
struct Error {
    int code = 0;
    std::string what;
};

// A value of type T or an Error. Not thread safe; moves like T.
template <typename T>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }

    T& value() &
    {
        assert(has_value());
        return *std::get_if<0>(&state_);
    }
    const T& value() const&
    {
        assert(has_value());
        return *std::get_if<0>(&state_);
    }
    T&& value() &&
    {
        assert(has_value());
        return std::move(*std::get_if<0>(&state_));
    }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    Error& error() &
    {
        assert(!has_value());
        return *std::get_if<1>(&state_);
    }
    const Error& error() const&
    {
        assert(!has_value());
        return *std::get_if<1>(&state_);
    }
    Error&& error() &&
    {
        assert(!has_value());
        return std::move(*std::get_if<1>(&state_));
    }

private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::move(error)), ok_(false) {}

    bool has_value() const { return ok_; }
    explicit operator bool() const { return ok_; }
    Error& error() &
    {
        assert(!ok_);
        return error_;
    }
    const Error& error() const&
    {
        assert(!ok_);
        return error_;
    }
    Error&& error() &&
    {
        assert(!ok_);
        return std::move(error_);
    }

private:
    Error error_;
    bool ok_ = true;
};

}  // namespace lkl
