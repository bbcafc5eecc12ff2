// SPDX-License-Identifier: GPL-2.0-only
// One image that is opened for several of its partitions.
#include <cerrno>
#include <optional>

#include <common/opened_image.hpp>
#include <lkl/disk.hpp>

#include "temp_file.hpp"

namespace tools {
namespace {

using lkl::test::TempFile;

class OpenedTwice : public testing::Test {
protected:
    OpenedTwice() { request.path = file.path(); }

    bool locked() const
    {
        const auto other = lkl::open_file_disk(file.path());
        if (!other) {
            EXPECT_EQ(other.error().code, EBUSY) << other.error().what;
        }
        return !other;
    }

    TempFile file{1 << 20};
    ImageRequest request;
};

TEST_F(OpenedTwice, is_locked_until_both_are_closed)
{
    for (const bool second_writes : {true, false}) {
        for (const bool first_ends_first : {true, false}) {
            request.writable = true;
            std::optional<OpenedImage> first = open_for_mount(request);
            request.writable = second_writes;
            std::optional<OpenedImage> second = open_for_mount(request, &*first);
            ASSERT_TRUE(first->disk && second->disk);
            EXPECT_EQ((*second->disk)->info().read_only, !second_writes);
            (first_ends_first ? first : second).reset();
            EXPECT_TRUE(locked());
            (first_ends_first ? second : first).reset();
            EXPECT_FALSE(locked());
        }
    }
}

TEST_F(OpenedTwice, is_in_use_for_both)
{
    const auto user = lkl::open_file_disk(file.path());
    ASSERT_TRUE(user);
    request.writable = true;
    const OpenedImage first = open_for_mount(request);
    const OpenedImage second = open_for_mount(request, &first);
    ASSERT_FALSE(first.disk);
    ASSERT_FALSE(second.disk);
    EXPECT_EQ(second.disk.error().code, EBUSY);
}

// The host says once for each description that it has lost what was written.
TEST_F(OpenedTwice, has_a_description_each)
{
    request.writable = true;
    const OpenedImage first = open_for_mount(request);
    const OpenedImage second = open_for_mount(request, &first);
    ASSERT_EQ(::lseek(first.image.get(), 512, SEEK_SET), 512);
    EXPECT_EQ(::lseek(second.image.get(), 0, SEEK_CUR), 0);
}

}  // namespace
}  // namespace tools
