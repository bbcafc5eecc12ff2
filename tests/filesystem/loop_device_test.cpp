// SPDX-License-Identifier: GPL-2.0-only
// The kernel's own loop driver: an image that is a file inside the kernel is mounted there.
// ctest: TIMEOUT=60
#include <lkl/linux/loop.h>

#include "common/image_test.hpp"

namespace lkl::test {
namespace {

class LoopDevice : public ImageTest {
protected:
    // A disk with the file system "inner" as its file, which `make` makes; a loop device of it,
    // by its path.
    std::string configure(uint32_t flags, const std::string& make = "mkfs.ext4 -q -d inside")
    {
        run("mkdir inside tree && echo text >inside/file && truncate -s 16M tree/inner && " + make +
            " tree/inner && truncate -s 64M image && mkfs.ext4 -q -d tree image");
        mount("image", "ext4");
        calls->mount_at("devtmpfs", "/dev");
        const long control = calls->open("/dev/loop-control", LKL_O_RDWR);
        EXPECT_GE(control, 0);
        const long number = ioctl(control, LKL_LOOP_CTL_GET_FREE, nullptr);
        EXPECT_GE(number, 0);
        EXPECT_EQ(calls->close(control), 0);
        std::string device = "/dev/loop" + std::to_string(number);

        const long file = calls->open(path("inner").c_str(), LKL_O_RDWR);
        EXPECT_GE(file, 0);
        loop_ = calls->open(device.c_str(), LKL_O_RDWR);
        EXPECT_GE(loop_, 0);
        lkl_loop_config config{};
        config.fd = static_cast<uint32_t>(file);
        config.info.lo_flags = flags;
        EXPECT_EQ(ioctl(loop_, LKL_LOOP_CONFIGURE, &config), 0);
        EXPECT_EQ(calls->close(file), 0);
        EXPECT_EQ(calls->mkdir("/loop"), 0);
        return device;
    }
    void detach()
    {
        EXPECT_EQ(ioctl(loop_, LKL_LOOP_CLR_FD, nullptr), 0);
        EXPECT_EQ(calls->close(loop_), 0);
    }

    long loop_ = -1;
};

TEST_F(LoopDevice, OfAFileIsMountedAndWrittenTo)
{
    const std::string device = configure(0);
    ASSERT_EQ(calls->mount(device.c_str(), "/loop", "ext4"), 0);
    EXPECT_EQ(calls->read_file("/loop/file"), "text\n");
    EXPECT_EQ(calls->write_file("/loop/new", "written", LKL_O_WRONLY | LKL_O_CREAT), 0);
    EXPECT_EQ(calls->umount("/loop"), 0);
    detach();
    end();
    // It is in the file, as the host sees it.
    run("debugfs -R 'dump /inner inner' image && e2fsck -fn inner && "
        "debugfs -R 'dump /new new' inner");
    EXPECT_EQ(read_host("new"), "written");
}

// The outer file system is the older one, which sync(2) writes back first; and FAT flushes
// nothing.
TEST_F(LoopDevice, IsWrittenBackAtTheEndWithWhatItHolds)
{
    const std::string device = configure(0, "mkfs.vfat");
    ASSERT_EQ(calls->mount(device.c_str(), "/loop", "vfat"), 0);
    const std::string text(1'000'000, 'x');
    EXPECT_EQ(calls->write_file("/loop/new", text, LKL_O_WRONLY | LKL_O_CREAT), 0);
    halt();
    run("e2fsck -fy image; debugfs -R 'dump /inner inner' image && fsck.vfat -n inner; "
        "mcopy -i inner ::new new");
    EXPECT_EQ(read_host("new"), text);
}

TEST_F(LoopDevice, ThatIsReadOnlyIsNotWrittenTo)
{
    const std::string device = configure(LKL_LO_FLAGS_READ_ONLY);
    EXPECT_EQ(calls->mount(device.c_str(), "/loop", "ext4"), -LKL_EACCES);
    ASSERT_EQ(calls->mount(device.c_str(), "/loop", "ext4", LKL_MS_RDONLY), 0);
    EXPECT_EQ(calls->read_file("/loop/file"), "text\n");
    EXPECT_EQ(calls->umount("/loop"), 0);
    detach();
}

}  // namespace
}  // namespace lkl::test
