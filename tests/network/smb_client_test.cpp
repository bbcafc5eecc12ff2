// SPDX-License-Identifier: GPL-2.0-only
// What SMB alone has: passwords, and symbolic links that the server does not know of.
#include <cerrno>
#include <string>

#include "common/network_filesystem.hpp"

namespace lkl::test {
namespace {

using SmbClient = NetworkFilesystem;

TEST_P(SmbClient, IsRefusedWithAWrongPassword)
{
    EXPECT_EQ(mount(",password=wrong"), -EACCES);
    EXPECT_EQ(mount(",username=nobody"), -EACCES);
    EXPECT_EQ(mount(), 0);
    EXPECT_EQ(unmount(), 0);
    EXPECT_TRUE(kernel.halt());
}

TEST_P(SmbClient, HasSymbolicLinks)
{
    ASSERT_EQ(mount(",mfsymlinks"), 0);
    ASSERT_EQ(our_files.write_file(at_ours("file"), "data"), 0);
    ASSERT_EQ(our_files.symlink("file", at_ours("link")), 0);
    ASSERT_EQ(unmount(), 0);
    ASSERT_EQ(mount(",mfsymlinks"), 0);
    EXPECT_EQ(our_files.read_link(at_ours("link")), "file");
    EXPECT_EQ(calls.read_file(at_ours("link").c_str()), "data");
    // For others it is a file, as Minshall and French have defined.
    std::string text;
    EXPECT_EQ(host_files.read_file(at_host("link"), text), 0);
    EXPECT_EQ(text.size(), 1067u);
    EXPECT_EQ(text.substr(0, 10), "XSym\n0004\n");
    EXPECT_EQ(unmount(), 0);
    EXPECT_TRUE(kernel.halt());
}

INSTANTIATE_TEST_SUITE_P(, SmbClient, testing::ValuesIn(protocols({"smb3"})), name_of_protocol);

}  // namespace
}  // namespace lkl::test
