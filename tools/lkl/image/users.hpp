// SPDX-License-Identifier: GPL-2.0-only
// Names of users and groups as the image's own /etc/passwd and /etc/group have them:
// those of the host mean nothing there.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "lkl/image/image.hpp"

namespace tools::lkl_tool {

// One thread. The files are read when they are first needed; what is no name of an ID
// in them is ignored.
class Users {
public:
    explicit Users(const Image& image) : image_(image) {}

    // The name, or the number as text.
    std::string user_name(uint32_t uid);
    std::string group_name(uint32_t gid);
    // Of a name or a number. None: there is no such.
    std::optional<uint32_t> user_id(const std::string& text);
    std::optional<uint32_t> group_id(const std::string& text);

private:
    struct Names {
        bool read = false;
        std::map<uint32_t, std::string> names;
        std::map<std::string, uint32_t> ids;
    };
    Names& users() { return read(users_, "/etc/passwd"); }
    Names& groups() { return read(groups_, "/etc/group"); }
    Names& read(Names& names, const char* path);

    const Image& image_;
    Names users_;
    Names groups_;
};

}  // namespace tools::lkl_tool
