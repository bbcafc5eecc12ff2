// SPDX-License-Identifier: GPL-2.0-only
// A file system that is frozen by the port's own call, whichever it is, has all in its image
// and lets nobody write.
// ctest: TIMEOUT=120
#include <atomic>

#include <lkl/linux/fs.h>

#include "common/image_test.hpp"

namespace lkl::test {
namespace {

class Freeze : public ImageTest {
protected:
    long freeze(int on) { return kernel->syscall(__lkl__NR_lkl_freeze, top.c_str(), on); }
    long ask(unsigned long command)
    {
        const long fd = calls->open(top.c_str(), LKL_O_RDONLY | LKL_O_DIRECTORY);
        const long result = ioctl(fd, command, nullptr);
        EXPECT_EQ(calls->close(fd), 0);
        return result;
    }

    void check(const char* type)
    {
        const Watchdog watchdog(60s, "a frozen file system");
        mount("image", type);
        calls->mount_at("proc", "/proc");
        EXPECT_EQ(create("before", "written before the freeze"), 0);
        ASSERT_EQ(freeze(1), 0);
        EXPECT_EQ(freeze(1), -LKL_EBUSY);
        EXPECT_NE(read_host("image").find("written before the freeze"), std::string::npos);

        std::atomic<long> writer{0}, written{1};
        Crew crew;
        crew.add([&] {
            writer = calls->gettid();
            written = create("held", "off");
        });
        while (writer == 0 || calls->task_state(writer) != 'D')
            std::this_thread::sleep_for(1ms);
        // That of the ioctl is another hold.
        EXPECT_EQ(ask(LKL_FITHAW), 0);
        std::this_thread::sleep_for(20ms);
        EXPECT_EQ(written, 1);
        EXPECT_EQ(calls->read_file(path("before").c_str()), "written before the freeze");
        EXPECT_EQ(freeze(0), 0);
        crew.join();
        EXPECT_EQ(written, 0);
        EXPECT_EQ(freeze(0), -LKL_EINVAL);
    }
};

TEST_F(Freeze, OfExt4)
{
    run("truncate -s 16M image && mkfs.ext4 -q image");
    check("ext4");
    EXPECT_EQ(ask(LKL_FIFREEZE), 0);
    EXPECT_EQ(freeze(1), 0);
    EXPECT_EQ(ask(LKL_FITHAW), 0);
    EXPECT_EQ(freeze(0), 0);
    EXPECT_EQ(create("after", "all"), 0);
}

TEST_F(Freeze, OfFatWhichHasNone)
{
    run("truncate -s 16M image && mkfs.vfat image");
    check("vfat");
    EXPECT_EQ(ask(LKL_FIFREEZE), -LKL_EOPNOTSUPP);
}

TEST_F(Freeze, OfWhatIsReadOnly)
{
    run("truncate -s 16M image && mkfs.ext4 -q image");
    mount("image", "ext4", "ro");
    EXPECT_EQ(freeze(1), 0);
    EXPECT_EQ(freeze(0), 0);
}

TEST_F(Freeze, IsForWhoMayAndForPlacesThatAreThere)
{
    run("truncate -s 16M image && mkfs.ext4 -q image");
    mount("image", "ext4");
    EXPECT_EQ(kernel->syscall(__lkl__NR_lkl_freeze, "/none", 1), -LKL_ENOENT);
    std::thread([this] {
        ASSERT_EQ(kernel->syscall(__lkl__NR_setresuid, 1000, 1000, 1000), 0);
        EXPECT_EQ(freeze(1), -LKL_EPERM);
    }).join();
}

}  // namespace
}  // namespace lkl::test
