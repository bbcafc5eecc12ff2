// SPDX-License-Identifier: GPL-2.0-only
// Limits of quota hold for a user without privileges, and stay with the file system.
// ctest: TIMEOUT=120
#include <lkl/linux/quota.h>

#include "common/image_test.hpp"

namespace lkl::test {
namespace {

constexpr long user = 1000;
constexpr uint64_t space = 1 << 20;  // what the user may have
constexpr uint64_t inodes = 10;

class Quota : public ImageTest {
protected:
    struct lkl_if_dqblk get()
    {
        struct lkl_if_dqblk limits {};
        EXPECT_EQ(control(LKL_Q_GETQUOTA, limits), 0);
        return limits;
    }
    long control(unsigned command, struct lkl_if_dqblk& limits)
    {
        const long fd = calls->open(top.c_str(), LKL_O_RDONLY | LKL_O_DIRECTORY);
        const long result =
            kernel->syscall(__lkl__NR_quotactl_fd, fd,
                            static_cast<long>(LKL_QCMD(command, LKL_USRQUOTA)), user, &limits);
        EXPECT_EQ(calls->close(fd), 0);
        return result;
    }

    // How many bytes the calling thread's user writes before it is refused, and by what.
    std::pair<uint64_t, long> fill(const std::string& name)
    {
        const std::string block(64 << 10, 'q');
        const long fd = calls->open(path(name).c_str(), LKL_O_WRONLY | LKL_O_CREAT);
        EXPECT_GE(fd, 0);
        uint64_t written = 0;
        long n = 0;
        while (written < 4 * space && (n = calls->write(fd, block.data(), block.size())) > 0)
            written += static_cast<uint64_t>(n);
        if (n >= 0)
            n = calls->fsync(fd);
        EXPECT_EQ(calls->close(fd), 0);
        return {written, n};
    }

    void check(const char* type, const char* option)
    {
        mount("image", type, option);
        ASSERT_EQ(calls->mkdir(path("users").c_str()), 0);
        ASSERT_EQ(kernel->syscall(__lkl__NR_fchmodat, LKL_AT_FDCWD, path("users").c_str(), 0777),
                  0);
        struct lkl_if_dqblk limits {};
        limits.dqb_bhardlimit = space / 1024;
        limits.dqb_ihardlimit = inodes;
        limits.dqb_valid = LKL_QIF_LIMITS;
        ASSERT_EQ(control(LKL_Q_SETQUOTA, limits), 0);

        std::thread([this] {
            ASSERT_EQ(kernel->syscall(__lkl__NR_setresuid, user, user, user), 0);
            uint64_t files = 0;
            long made = 0;
            while (files < 2 * inodes && (made = create("users/" + std::to_string(files), "")) == 0)
                ++files;
            EXPECT_EQ(made, -LKL_EDQUOT);
            EXPECT_EQ(files, inodes);
            const auto [written, error] = fill("users/0");
            EXPECT_EQ(error, -LKL_EDQUOT);
            EXPECT_LE(written, space);
            EXPECT_GE(written, space * 3 / 4);
        }).join();
        // Others have no limit.
        const auto [written, error] = fill("users/roots");
        EXPECT_EQ(error, 0);
        EXPECT_EQ(written, 4 * space);
        end();

        mount("image", type, option);
        const struct lkl_if_dqblk again = get();
        EXPECT_EQ(again.dqb_bhardlimit, space / 1024);
        EXPECT_EQ(again.dqb_ihardlimit, inodes);
        EXPECT_EQ(again.dqb_curinodes, inodes);
        EXPECT_LE(again.dqb_curspace, space);
        EXPECT_GE(again.dqb_curspace, space * 3 / 4);
        std::thread([this] {
            ASSERT_EQ(kernel->syscall(__lkl__NR_setresuid, user, user, user), 0);
            EXPECT_EQ(create("users/more", ""), -LKL_EDQUOT);
            EXPECT_EQ(calls->unlink(path("users/0").c_str()), 0);
            EXPECT_EQ(create("users/more", "text"), 0) << "there is room again";
        }).join();
    }
};

TEST_F(Quota, OfExt4)
{
    run("truncate -s 64M image && mkfs.ext4 -q -O quota -E quotatype=usrquota image");
    check("ext4", "usrquota");
    end();
    run("e2fsck -fn image");
}

TEST_F(Quota, OfXfs)
{
    run("truncate -s 320M image && mkfs.xfs -q image");
    check("xfs", "uquota");
    end();
    run("xfs_repair -n image");
}

}  // namespace
}  // namespace lkl::test
