// SPDX-License-Identifier: GPL-2.0-only
// Directories without a difference of case, the check of XFS while it is mounted, and files
// that an ISO image holds compressed.
// ctest: TIMEOUT=120
#include <lkl/asm/ioctl.h>
#include <lkl/linux/fs.h>

#include "common/image_test.hpp"

namespace lkl::test {
namespace {

class SpecialFormats : public ImageTest {};

TEST_F(SpecialFormats, CasefoldFindsNamesInAnyCase)
{
    run("truncate -s 16M image && mkfs.ext4 -q -O casefold -E encoding=utf8 image");
    mount("image", "ext4");
    ASSERT_EQ(calls->mkdir(path("folded").c_str()), 0);
    const long fd = calls->open(path("folded").c_str(), LKL_O_RDONLY | LKL_O_DIRECTORY);
    long flags = 0;
    ASSERT_EQ(ioctl(fd, LKL_FS_IOC_GETFLAGS, &flags), 0);
    flags |= LKL_FS_CASEFOLD_FL;
    ASSERT_EQ(ioctl(fd, LKL_FS_IOC_SETFLAGS, &flags), 0);
    EXPECT_EQ(calls->close(fd), 0);

    ASSERT_EQ(create("folded/Straße", "text"), 0);
    EXPECT_EQ(calls->read_file(path("folded/STRASSE").c_str()), "text");
    EXPECT_EQ(calls->open(path("folded/strasse").c_str(), LKL_O_WRONLY | LKL_O_CREAT | LKL_O_EXCL),
              -LKL_EEXIST);
    EXPECT_EQ(names(path("folded")), std::vector<std::string>{"Straße"});
    ASSERT_EQ(create("Straße", "text"), 0);
    EXPECT_EQ(calls->open(path("STRASSE").c_str(), LKL_O_RDONLY), -LKL_ENOENT)
        << "other directories are as ever";
    end();
    run("e2fsck -fn image");
}

// As in the kernel's fs/xfs/libxfs/xfs_fs.h, which is no header of its user API.
struct ScrubMetadata {
    uint32_t type;
    uint32_t flags;
    uint64_t inode;
    uint32_t generation;
    uint32_t group;
    uint64_t reserved[5];
};
constexpr uint32_t of_groups_first = 1;  // superblocks
constexpr uint32_t of_groups_inodes = 4;
constexpr uint32_t of_groups_last = 10;  // reference counts
constexpr uint32_t of_inodes_first = 11;
constexpr uint32_t of_inodes_last = 18;  // parents
constexpr uint32_t counters = 24;
constexpr uint32_t most_types = 64;
// Corrupt, cross-reference failed, cross-reference corrupt, incomplete.
constexpr uint32_t bad = 1u << 1 | 1u << 3 | 1u << 4 | 1u << 5;

class Scrub : public ImageTest {
protected:
    long scrub(uint32_t type, uint32_t group, uint32_t& flags)
    {
        ScrubMetadata metadata{};
        metadata.type = type;
        metadata.group = group;
        const long fd = calls->open(top.c_str(), LKL_O_RDONLY | LKL_O_DIRECTORY);
        const long result = ioctl(fd, _LKL_IOWR('X', 60, ScrubMetadata), &metadata);
        EXPECT_EQ(calls->close(fd), 0);
        flags = metadata.flags;
        return result;
    }
};

TEST_F(Scrub, FindsNothingInASoundFileSystem)
{
    run("truncate -s 320M image && mkfs.xfs -q -m rmapbt=1,reflink=1 image");
    mount("image", "xfs");
    for (int i = 0; i < 500; ++i)
        ASSERT_EQ(create("file " + std::to_string(i), "text"), 0);
    uint32_t flags = 0;
    const auto sound = [&](uint32_t type, uint32_t group) {
        const long result = scrub(type, group, flags);
        // An inode has no tree of a fork that it does not need, a directory no target.
        if (result != -LKL_ENOENT || type < of_inodes_first) {
            EXPECT_EQ(result, 0) << type << " of " << group;
        }
        EXPECT_EQ(flags & bad, 0u) << type << " of " << group;
    };
    for (uint32_t group = 0; group < 4; ++group)
        for (uint32_t type = of_groups_first; type <= of_groups_last; ++type)
            sound(type, group);
    for (uint32_t type = of_inodes_first; type <= of_inodes_last; ++type)
        sound(type, 0);
    sound(counters, 0);
    EXPECT_EQ(scrub(of_groups_first, 4, flags), -LKL_EINVAL) << "there are four groups";
    EXPECT_EQ(scrub(most_types, 0, flags), -LKL_ENOENT);
}

TEST_F(Scrub, FindsAWrongNumberOfInodes)
{
    run("truncate -s 320M image && mkfs.xfs -q image && "
        "xfs_db -x -c 'agi 1' -c 'write -d count 64' image");
    mount("image", "xfs");
    uint32_t flags = 0;
    EXPECT_EQ(scrub(of_groups_inodes, 0, flags), 0);
    EXPECT_EQ(flags & bad, 0u);
    EXPECT_EQ(scrub(of_groups_inodes, 1, flags), 0);
    EXPECT_NE(flags & bad, 0u);
}

TEST_F(SpecialFormats, ZisofsIsReadAsItWasBeforeItWasCompressed)
{
    run("mkdir tree && seq 300000 >tree/numbers && head -c 100000 /dev/urandom >tree/noise && "
        "mkzftree tree packed && genisoimage -quiet -R -z -o image packed");
    const std::string numbers = read_host("tree/numbers");
    ASSERT_LT(std::filesystem::file_size(work + "/image"), numbers.size()) << "not compressed";
    mount("image", "iso9660", "ro");
    EXPECT_TRUE(calls->read_file(path("numbers").c_str()) == numbers);
    EXPECT_TRUE(calls->read_file(path("noise").c_str()) == read_host("tree/noise"));
}

}  // namespace
}  // namespace lkl::test
