// SPDX-License-Identifier: GPL-2.0-only
// The FUSE file system of our kernel, served by threads of this program: what is done through
// it is compared with what the host's kernel does, and sees of it in the directory behind it.
#include <cerrno>
#include <ostream>
#include <string>
#include <vector>

#include <support/tree.hpp>

#include "common/fuse_test.hpp"

namespace lkl::test {

static void PrintTo(const FuseOptions& options, std::ostream* out)
{
    *out << options.name;
}

namespace {

const std::vector<FuseOptions> variants{
    {.name = "plain"},
    {.name = "spliced", .splices = true},
    {.name = "uncached", .seconds = 0},
    {.name = "three_threads", .threads = 3},
    {.name = "write_back", .flags = LKL_FUSE_WRITEBACK_CACHE | LKL_FUSE_ASYNC_READ},
    {.name = "entries_with_names", .flags = LKL_FUSE_DO_READDIRPLUS | LKL_FUSE_READDIRPLUS_AUTO},
    {.name = "direct", .open_flags = LKL_FOPEN_DIRECT_IO},
    {.name = "kept",
     .flags = LKL_FUSE_ATOMIC_O_TRUNC | LKL_FUSE_CACHE_SYMLINKS,
     .open_flags = LKL_FOPEN_KEEP_CACHE,
     .seconds = 1000},
};

class FuseTrees : public FuseTest, public testing::TestWithParam<FuseOptions> {
protected:
    void SetUp() override
    {
        // What is not cached is written from, and read to, pages that are pinned.
        if (GetParam().open_flags == LKL_FOPEN_DIRECT_IO) {
            ASSERT_EQ(our_files.use_mapped_memory(), 0);
        }
        mount(GetParam());
    }
};

TEST_P(FuseTrees, TheHostSeesWhatWeWrite)
{
    const std::string same = work + "/same";
    ASSERT_EQ(host_files.mkdir(same), 0);
    const auto expected = make_tree(host_files, same, {});
    EXPECT_TRUE(same_lines(expected, make_tree(our_files, mount_point, {})));
    const auto tree = describe_tree(host_files, same, {});
    EXPECT_GT(tree.size(), 290u);
    EXPECT_TRUE(same_lines(tree, describe_tree(host_files, at_host(""), {})));
    EXPECT_TRUE(same_lines(tree, describe_tree(our_files, mount_point, {})));

    EXPECT_EQ(server->agreed_flags(), GetParam().flags);
    const bool plus = (GetParam().flags & LKL_FUSE_DO_READDIRPLUS) != 0;
    EXPECT_EQ(server->count(LKL_FUSE_READDIRPLUS) != 0, plus);
    for (const uint32_t kind :
         {LKL_FUSE_INIT,     LKL_FUSE_LOOKUP,    LKL_FUSE_GETATTR, LKL_FUSE_SETATTR,
          LKL_FUSE_READLINK, LKL_FUSE_SYMLINK,   LKL_FUSE_MKNOD,   LKL_FUSE_MKDIR,
          LKL_FUSE_UNLINK,   LKL_FUSE_RMDIR,     LKL_FUSE_RENAME,  LKL_FUSE_LINK,
          LKL_FUSE_CREATE,   LKL_FUSE_OPEN,      LKL_FUSE_READ,    LKL_FUSE_WRITE,
          LKL_FUSE_FLUSH,    LKL_FUSE_FSYNC,     LKL_FUSE_RELEASE, LKL_FUSE_OPENDIR,
          LKL_FUSE_READDIR,  LKL_FUSE_RELEASEDIR})
        EXPECT_GT(server->count(kind), 0u) << kind;
    unmount();
    EXPECT_TRUE(kernel.halt());
}

TEST_P(FuseTrees, WeSeeWhatTheHostWrites)
{
    unmount();
    make_tree(host_files, at_host(""), {});
    mount(GetParam());
    EXPECT_TRUE(same_lines(describe_tree(host_files, at_host(""), {}),
                           describe_tree(our_files, mount_point, {})));
    unmount();
    EXPECT_TRUE(kernel.halt());
}

INSTANTIATE_TEST_SUITE_P(, FuseTrees, testing::ValuesIn(variants),
                         [](const auto& info) { return std::string(info.param.name); });

class FuseClient : public FuseTest, public testing::Test {};

TEST_F(FuseClient, ThreadsWorkAtOnce)
{
    mount({.threads = 3});
    expect_threads_to_write(our_files, at_ours(""), host_files, at_host(""));
    unmount();
    EXPECT_TRUE(kernel.halt());
}

TEST_F(FuseClient, IsMountedAgainAndAgain)
{
    for (int round = 0; round < 10; ++round) {
        SCOPED_TRACE(round);
        mount({});
        const std::string text = std::to_string(round);
        EXPECT_EQ(our_files.write_file(at_ours("file"), text), 0);
        const long fd = our_files.open(at_ours("file"), O_RDONLY);
        ASSERT_GE(fd, 0);
        EXPECT_EQ(calls.umount(mount_point), -EBUSY);
        EXPECT_EQ(our_files.close(fd), 0);
        unmount();
        std::string found;
        EXPECT_EQ(our_files.read_file(at_ours("file"), found), -ENOENT);
        EXPECT_EQ(host_files.read_file(at_host("file"), found), 0);
        EXPECT_EQ(found, text);
    }
    EXPECT_TRUE(kernel.halt());
}

}  // namespace
}  // namespace lkl::test
