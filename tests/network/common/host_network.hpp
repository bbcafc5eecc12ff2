// SPDX-License-Identifier: GPL-2.0-only
// What the host has to have for some devices: directories, interfaces, a switch of VDE.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <gtest/gtest.h>

#include "program.hpp"
#include "stack.hpp"
#include "support/process.hpp"

namespace lkl::test {

// A directory that goes away with the test.
class Directory {
public:
    Directory() { EXPECT_TRUE(::mkdtemp(path_)); }
    ~Directory() { run("rm -rf " + path("")); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    std::string path(const std::string& name) const { return std::string(path_) + "/" + name; }

private:
    char path_[32] = "/tmp/lkl-net-XXXXXX";
};

inline bool has_program(const std::string& name)
{
    return run("command -v " + name + " >/dev/null");
}

// Whether a namespace that the test has entered has IPv6.
inline bool host_has_ipv6()
{
    const auto host = host_stack();
    uint16_t port = 0;
    const long fd = host->listen_on("::1", port);
    if (fd >= 0)
        host->close(fd);
    return fd >= 0;
}

// Two interfaces with a wire between them, "near", which is up, and "far".
inline bool make_wire()
{
    return run("ip link add near type veth peer name far && ip link set near up");
}

// What makes a macvtap interface over "near".
constexpr const char* add_macvtap =
    "ip link add link near name mv0 type macvtap mode bridge && ip link set mv0 up";

// Makes a node for its device at `path`: the host makes none in a namespace of its own.
inline bool make_macvtap_node(const std::string& path)
{
    unsigned major = 0, minor = 0;
    FILE* const file = ::popen("cat /sys/class/net/mv0/tap*/dev", "r");
    const bool read = file && std::fscanf(file, "%u:%u", &major, &minor) == 2;
    if (file)
        ::pclose(file);
    return read && ::mknod(path.c_str(), S_IFCHR | 0600, makedev(major, minor)) == 0;
}

// Why there is no VDE network; "" where there is. libvdeplug loads its plug-ins by RTLD_DEEPBIND,
// at which AddressSanitizer ends the process.
inline const char* why_no_vde()
{
    return sanitized() ? "a sanitizer's build cannot load libvdeplug's plug-ins" : "";
}

inline std::unique_ptr<Program> start_switch(const std::string& directory)
{
    auto program = std::make_unique<Program>(
        std::vector<std::string>{"vde_switch", "-s", directory, "-n", "8", "-x"});
    EXPECT_TRUE(appears(directory + "/ctl"));
    return program;
}

}  // namespace lkl::test
