// SPDX-License-Identifier: GPL-2.0-only
// A JSON object on one line, whose strings are bytes: each becomes the character
// of its number, which Python's encode("latin-1") turns back.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace image_tree {

class JsonLine {
public:
    JsonLine& add(const char* key, std::string_view bytes)
    {
        begin(key);
        quote(bytes);
        return *this;
    }
    JsonLine& add(const char* key, int64_t number)
    {
        begin(key);
        text_ += std::to_string(number);
        return *this;
    }
    // Another object, under a key that may hold any bytes.
    JsonLine& add(const char* key, const JsonLine& object)
    {
        begin(key);
        text_ += object.text();
        return *this;
    }
    std::string text() const { return '{' + text_ + '}'; }

private:
    void begin(std::string_view key)
    {
        if (!text_.empty())
            text_ += ", ";
        quote(key);
        text_ += ": ";
    }
    void quote(std::string_view bytes)
    {
        text_ += '"';
        for (const char c : bytes) {
            const auto byte = static_cast<unsigned char>(c);
            if (byte < 0x20 || byte >= 0x7f || c == '"' || c == '\\') {
                std::array<char, 8> escape;
                std::snprintf(escape.data(), escape.size(), "\\u%04x", byte);
                text_ += escape.data();
            } else {
                text_ += c;
            }
        }
        text_ += '"';
    }

    std::string text_;
};

}  // namespace image_tree
