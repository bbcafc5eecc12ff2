// SPDX-License-Identifier: GPL-2.0-only
// --json: a list, one line an element, so that it can be printed as it is found.
#pragma once

#include <lkl/file.hpp>

#include "common/json_object.hpp"
#include "lkl/output/output.hpp"

namespace tools::lkl_tool {

// What stat(2) says of a file: type, mode, uid, gid, size, times ...
void set_stat(JsonObject& object, const lkl::Stat& stat);

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
