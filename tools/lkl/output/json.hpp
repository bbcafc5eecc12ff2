// SPDX-License-Identifier: GPL-2.0-only
// --json: a list, one line an element, so that it can be printed as it is found.
//
// JSON holds UTF-8 alone. A text that is none has U+FFFD in the place of its bad bytes,
// and stands beside it in hexadecimal under the same key with "_hex" behind it.
#pragma once

#include <string>
#include <string_view>

#include <lkl/file.hpp>
#include <nlohmann/json.hpp>

#include "lkl/output/output.hpp"

namespace tools::lkl_tool {

using Json = nlohmann::ordered_json;

// Sets object[key] to bytes of the image.
void set_bytes(Json& object, const std::string& key, std::string_view bytes);

// What stat(2) says of a file: type, mode, uid, gid, size, times ...
void set_stat(Json& object, const lkl::Stat& stat);

class JsonList {
public:
    // Nothing is printed unless `enabled`.
    JsonList(Output& out, bool enabled) : out_(out), enabled_(enabled) {}
    bool enabled() const { return enabled_; }
    void add(const Json& element);
    // Ends the list.
    void finish();

private:
    Output& out_;
    const bool enabled_;
    bool empty_ = true;
};

}  // namespace tools::lkl_tool
