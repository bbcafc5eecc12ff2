// SPDX-License-Identifier: GPL-2.0-only
// A kernel of ours with a directory of the host that it sees through FUSE.
#pragma once

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <support/file_calls.hpp>
#include <support/kernel.hpp>

#include "fuse_server.hpp"

namespace lkl::test {

class FuseTest {
protected:
    static constexpr const char* mount_point = "/mnt";

    FuseTest()
    {
        std::string name = (std::filesystem::temp_directory_path() / "lkl-fuse-XXXXXX").string();
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        work = name;
        EXPECT_EQ(host_files.mkdir(at_host("")), 0);
        EXPECT_EQ(calls.mkdir(mount_point), 0);
    }
    ~FuseTest()
    {
        server.reset();
        std::filesystem::remove_all(work);
    }

    static std::string at_ours(const std::string& name)
    {
        return std::string(mount_point) + '/' + name;
    }
    std::string at_host(const std::string& name) const { return work + "/exported/" + name; }

    void mount(const FuseOptions& options)
    {
        server.emplace(kernel, at_host(""), options);
        ASSERT_EQ(server->mount(mount_point), 0);
        // The first answer, without which others fail in another way.
        struct statx found {};
        ASSERT_EQ(our_files.stat(mount_point, found), 0);
    }
    void unmount()
    {
        EXPECT_EQ(calls.umount(mount_point), 0);
        EXPECT_EQ(server->join(), -ENODEV);
        server.reset();
    }

    Watchdog watchdog{250s, "FUSE"};
    std::string work;
    FileCalls host_files;
    std::string log;  // of our kernel
    Kernel kernel = boot({.log = [this](std::string_view line) { log += line; }});
    Calls calls{kernel};
    FileCalls our_files{kernel};
    std::optional<FuseServer> server;
};

}  // namespace lkl::test
