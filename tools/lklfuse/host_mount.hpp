// SPDX-License-Identifier: GPL-2.0-only
// The mount on the host, which is unmounted as root or through fusermount3.
#pragma once

#include <cstdint>
#include <string>

namespace tools::lklfuse {

enum class Unmounted : uint8_t {
    yes,
    in_use,
    not_on_top  // somebody else unmounted it, or mounted something on it
};

// What was mounted at a path when this was made, and nothing that comes there later.
class HostMount {
public:
    explicit HostMount(std::string path);

    // Has the host's kernel write all that it has for the file system. It sends requests,
    // and waits for the answers.
    void write_cache() const;

    // lazy: takes it out of the way where it is in use, so that it goes when it is not any
    // more.
    Unmounted unmount(bool lazy) const;

private:
    // Of a mount: the file system, and which mount of it.
    struct Identity {
        uint32_t major = 0;
        uint32_t minor = 0;
        uint64_t mount = 0;  // from Linux 5.8 on

        friend bool operator==(const Identity&, const Identity&) = default;
    };

    static Identity top_of(const std::string& path);

    const std::string path_;
    const Identity identity_;
};

}  // namespace tools::lklfuse
