// SPDX-License-Identifier: GPL-2.0-only
// A kernel of ours beside a server of the host that exports a directory, with a tap interface
// between the two.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <lkl/net.hpp>

#include <support/file_calls.hpp>
#include <support/kernel.hpp>
#include <support/tree.hpp>

#include "file_server.hpp"
#include "host_network.hpp"
#include "stack.hpp"

namespace lkl::test {

// A way to a server, and what it carries.
struct Protocol {
    const char* name;
    std::function<std::unique_ptr<FileServer>()> server;
    const char* type;
    const char* options;
    TreeTraits traits = {};
    // More options, with which a call ends that the server does not answer.
    const char* soft = "";
    // Whether the client finds a server that was started again.
    bool reconnects = false;
    // Whether the pages are pinned that a program reads to and writes from.
    bool pins = false;
};

void PrintTo(const Protocol& protocol, std::ostream* out);

const std::vector<Protocol>& all_protocols();
// Those of these names.
std::vector<Protocol> protocols(const std::vector<std::string>& names);

// The name of a test's instance.
std::string name_of_protocol(const testing::TestParamInfo<Protocol>& info);

class NetworkFilesystem : public testing::TestWithParam<Protocol> {
protected:
    static constexpr const char* mount_point = "/mnt";

    void SetUp() override;
    void TearDown() override;

    // Results are mount(2)'s. `more`: options, each after a comma.
    long mount(const std::string& more = "");
    long unmount() { return calls.umount(mount_point); }

    // The path of a file for our kernel, and for the host's.
    static std::string at_ours(const std::string& name)
    {
        return std::string(mount_point) + '/' + name;
    }
    std::string at_host(const std::string& name) const { return server->exported() + '/' + name; }

    Watchdog watchdog{250s, "network file systems"};
    std::string log;  // of our kernel, after its start
    Kernel kernel = boot({.log = [this](std::string_view line) { log += line; }});
    Calls calls{kernel};
    FileCalls our_files{kernel};
    FileCalls host_files;
    std::unique_ptr<Stack> host = host_stack();
    std::unique_ptr<Stack> ours = our_stack(kernel);
    std::unique_ptr<FileServer> server;
    std::unique_ptr<NetDevice> device;
    std::string tap_name;
};

}  // namespace lkl::test
