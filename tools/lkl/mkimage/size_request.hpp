// SPDX-License-Identifier: GPL-2.0-only
// How large something is to be, as the user says it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tools::mkimage {

// A quantity of bytes: "4096", "64M", "1.5G", "10GiB"; suffixes are powers of 1024.
// Throws ToolError, ExitCode::usage; where: what the text belongs to.
uint64_t parse_bytes(std::string_view text, const std::string& where);

struct SizeRequest {
    enum class Kind {
        automatic,  // what the contents need, and free space
        fixed,
        rest,  // what the other partitions leave
    };
    Kind kind = Kind::automatic;
    uint64_t bytes = 0;    // fixed: all; automatic: free space
    unsigned percent = 0;  // automatic: free space, of what the contents need

    // "auto", "auto+64M", "auto+10%", "rest" or parse_bytes(). Throws likewise.
    static SizeRequest parse(std::string_view text, const std::string& where);
};

}  // namespace tools::mkimage
