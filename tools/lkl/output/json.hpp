// SPDX-License-Identifier: GPL-2.0-only
// --json: a list, one line an element, so that it can be printed as it is found.
//
// JSON holds UTF-8 alone. A text that is none has U+FFFD in the place of its bad bytes,
// and stands beside it in hexadecimal under the same key with "_hex" behind it.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <lkl/file.hpp>

#include "lkl/output/output.hpp"

namespace tools::lkl_tool {

// Keys stay in the order in which they are set. One thread.
class JsonObject {
public:
    JsonObject();
    JsonObject(JsonObject&&) noexcept;
    JsonObject& operator=(JsonObject&&) noexcept;
    ~JsonObject();

    // Any bytes.
    void set(const std::string& key, std::string_view value);
    void set(const std::string& key, const char* value) { set(key, std::string_view(value)); }
    void set(const std::string& key, bool value);
    template <std::unsigned_integral Number>
    requires(!std::same_as<Number, bool>) void set(const std::string& key, Number value)
    {
        set(key, std::optional<uint64_t>(value));
    }
    // null if there is none.
    void set(const std::string& key, const std::optional<uint64_t>& value);
    void set(const std::string& key, const std::vector<std::string>& values);
    void set(const std::string& key, const std::vector<JsonObject>& values);
    void set_null(const std::string& key);
    // What stat(2) says of a file: type, mode, uid, gid, size, times ...
    void set_stat(const lkl::Stat& stat);

    // Without newlines.
    std::string text() const;

private:
    struct Value;
    std::unique_ptr<Value> value_;
};

class JsonList {
public:
    // Nothing is printed unless `enabled`.
    JsonList(Output& out, bool enabled) : out_(out), enabled_(enabled) {}
    bool enabled() const { return enabled_; }
    void add(const JsonObject& element);
    // Ends the list.
    void finish();

private:
    Output& out_;
    const bool enabled_;
    bool empty_ = true;
};

}  // namespace tools::lkl_tool
