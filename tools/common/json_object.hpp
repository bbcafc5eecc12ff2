// SPDX-License-Identifier: GPL-2.0-only
// JSON for --json.
//
// It holds UTF-8 alone. A text that is none has U+FFFD in the place of its bad bytes,
// and stands beside it in hexadecimal under the same key with "_hex" behind it.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tools {

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
    void set(const std::string& key, const JsonObject& value);
    void set(const std::string& key, const std::vector<std::string>& values);
    void set(const std::string& key, const std::vector<JsonObject>& values);
    void set_null(const std::string& key);

    // Without newlines.
    std::string text() const;

private:
    struct Value;
    std::unique_ptr<Value> value_;
};

}  // namespace tools
