// SPDX-License-Identifier: GPL-2.0-only
// The least memory that a kernel takes is enough to mount a file system and to write more to
// it than there is memory; less is refused.
// ctest: TIMEOUT=120
#include <lkl/linux/mount.h>

#include "common/image_test.hpp"

namespace lkl::test {
namespace {

constexpr size_t block_size = 1 << 20;
constexpr uint64_t blocks = 40;

// Names an image beside the default one; empty: it is not there.
std::string image_beside(const std::string& name)
{
    const std::string path =
        (std::filesystem::path(default_kernel_image()).parent_path() / name).string();
    return std::filesystem::exists(path) ? path : "";
}

class LeastMemory : public ImageTest {
protected:
    void check(uint64_t mebibytes, const char* type)
    {
        kernel_options.memory = (mebibytes << 20) - 1;
        const auto refused = Kernel::start(kernel_options);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, EINVAL) << refused.error().what;
        EXPECT_NE(refused.error().what.find(std::to_string(mebibytes) + " MiB"), std::string::npos)
            << refused.error().what;

        kernel_options.memory = mebibytes << 20;
        ASSERT_NO_FATAL_FAILURE(mount("image", type));
        std::string block(block_size, 'm');
        const long fd = calls->open(path("file").c_str(), LKL_O_RDWR | LKL_O_CREAT);
        for (uint64_t i = 0; i < blocks; ++i)
            ASSERT_EQ(calls->pwrite(fd, block.data(), block.size(), i * block_size),
                      static_cast<long>(block_size))
                << kernel->panic_message();
        ASSERT_EQ(calls->fsync(fd), 0);
        for (uint64_t i = 0; i < blocks; ++i)
            ASSERT_EQ(calls->pread(fd, block.data(), block.size(), i * block_size),
                      static_cast<long>(block_size))
                << kernel->panic_message();
        EXPECT_EQ(calls->close(fd), 0);
        EXPECT_EQ(kernel->panic_message(), "");
        end();
    }
};

TEST_F(LeastMemory, OfTheFullKernel)
{
    run("truncate -s 64M image && mkfs.ext4 -q image");
    check(24, "ext4");
    run("e2fsck -fn image && truncate -s 0 image && truncate -s 320M image && mkfs.xfs -q image");
    check(24, "xfs");
    run("xfs_repair -n image");
}

TEST_F(LeastMemory, OfTheTinyKernel)
{
    kernel_options.image = image_beside("vmlinux-tiny");
    if (kernel_options.image.empty())
        GTEST_SKIP() << "the tiny kernel was not built";
    run("truncate -s 64M image && mkfs.ext4 -q image");
    check(16, "ext4");
    run("e2fsck -fn image");
}

}  // namespace
}  // namespace lkl::test
