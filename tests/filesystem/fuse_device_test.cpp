// SPDX-License-Identifier: GPL-2.0-only
// The device of FUSE refuses answers that are wrong.
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>

#include <support/file_calls.hpp>
#include <support/kernel.hpp>

#include "common/fuse_test.hpp"

namespace lkl::test {
namespace {

class FuseDevice : public FuseTest, public testing::Test {};

// Without a server, one request after the other.
TEST_F(FuseDevice, AnswersThatAreWrongAreRefused)
{
    using Header = struct ::lkl_fuse_in_header;
    using Answer = struct ::lkl_fuse_out_header;
    const long device = open_fuse_device(kernel);
    ASSERT_GE(device, 0);
    const std::string options =
        "fd=" + std::to_string(device) + ",rootmode=40000,user_id=0,group_id=0";
    ASSERT_EQ(calls.mount("nobody", mount_point, "fuse", 0, options.c_str()), 0);

    FileCalls device_files(kernel);
    ASSERT_EQ(device_files.use_mapped_memory(), 0);
    std::string request(1 << 20, 0);
    const auto receive = [&] {
        const long size = device_files.read(device, request.data(), request.size());
        EXPECT_GE(size, static_cast<long>(sizeof(Header)));
        return *reinterpret_cast<const Header*>(request.data());
    };
    // `wrong`: by how much its length is not that of what is written.
    const auto send = [&](uint64_t unique, int32_t error, size_t body, int64_t wrong = 0) {
        const size_t length = sizeof(Answer) + body;
        std::string data(length, 0);
        const Answer head{.len = static_cast<uint32_t>(static_cast<int64_t>(length) + wrong),
                          .error = error,
                          .unique = unique};
        std::memcpy(data.data(), &head, sizeof head);
        if (body == sizeof(struct ::lkl_fuse_init_out)) {
            struct ::lkl_fuse_init_out ours {};
            ours.major = LKL_FUSE_KERNEL_VERSION;
            ours.minor = LKL_FUSE_KERNEL_MINOR_VERSION;
            ours.max_write = 4096;
            std::memcpy(data.data() + sizeof head, &ours, sizeof ours);
        }
        return device_files.write(device, data.data(), data.size());
    };
    constexpr size_t init_size = sizeof(struct ::lkl_fuse_init_out);
    constexpr size_t entry_size = sizeof(struct ::lkl_fuse_entry_out);

    const Header init = receive();
    ASSERT_EQ(init.opcode, LKL_FUSE_INIT);
    EXPECT_EQ(send(init.unique, 0, init_size, 1), -EINVAL);
    EXPECT_EQ(send(init.unique, 0, init_size, -1), -EINVAL);
    EXPECT_EQ(send(init.unique, 1, 0), -EINVAL);
    EXPECT_EQ(send(init.unique, -5000, 0), -EINVAL);
    EXPECT_EQ(send(init.unique + 1000, 0, init_size), -ENOENT);
    ASSERT_EQ(send(init.unique, 0, init_size), static_cast<long>(sizeof(Answer) + init_size));
    EXPECT_EQ(send(init.unique, 0, init_size), -ENOENT);

    // What a call returns of which the answer is no entry, and how long that is.
    const auto look_up = [&](int32_t error, size_t body, long written) {
        std::atomic<long> result{1};
        Crew crew;
        crew.add([&] {
            struct statx found {};
            result = our_files.stat(at_ours("file"), found);
        });
        const Header header = receive();
        EXPECT_EQ(header.opcode, LKL_FUSE_LOOKUP);
        EXPECT_EQ(send(header.unique, error, body), written);
        crew.join();
        return result.load();
    };
    EXPECT_EQ(look_up(0, entry_size - 1, -EINVAL), -EIO);
    EXPECT_EQ(look_up(0, entry_size + 1, -EINVAL), -EIO);
    EXPECT_EQ(look_up(-ENOENT, entry_size, -EINVAL), -EIO);
    EXPECT_EQ(look_up(0, entry_size, sizeof(Answer) + entry_size), -ENOENT);  // node 0
    EXPECT_EQ(look_up(-EXDEV, 0, sizeof(Answer)), -EXDEV);

    EXPECT_EQ(calls.umount(mount_point), 0);
    EXPECT_EQ(device_files.read(device, request.data(), request.size()), -ENODEV);
    EXPECT_EQ(calls.close(device), 0);
    EXPECT_TRUE(kernel.halt());
}

}  // namespace
}  // namespace lkl::test
