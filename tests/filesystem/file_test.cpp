// SPDX-License-Identifier: GPL-2.0-only
// lkl::File and lkl::Directory on a tmpfs of a running kernel.
#include <lkl/file.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <lkl/asm/unistd.h>
#include <lkl/kernel.hpp>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/fs.h>
#include <lkl/mount.hpp>

namespace {

constexpr int create = LKL_O_RDWR | LKL_O_CREAT | LKL_O_EXCL;

std::span<const std::byte> bytes(std::string_view text)
{
    return std::as_bytes(std::span(text));
}

class FileTest : public testing::Test {
protected:
    static void SetUpTestSuite()
    {
        auto kernel = lkl::Kernel::start();
        ASSERT_TRUE(kernel) << kernel.error().what;
        kernel_.emplace(*std::move(kernel));
        auto mount = lkl::Mount::special(*kernel_, "tmpfs", "/mnt/file-test");
        ASSERT_TRUE(mount) << mount.error().what;
        mount_.emplace(*std::move(mount));
    }
    static void TearDownTestSuite()
    {
        mount_.reset();
        kernel_.reset();
    }

    // Each test has a directory of its own.
    void SetUp() override
    {
        ASSERT_TRUE(mount_);
        auto top = lkl::File::open(*kernel_, "/mnt/file-test", LKL_O_RDONLY | LKL_O_DIRECTORY);
        ASSERT_TRUE(top) << top.error().what;
        const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
        auto made = top->make_directory_at(name.c_str(), 0755);
        ASSERT_TRUE(made) << made.error().what;
        path_ = "/mnt/file-test/" + name;
        auto directory = top->open_at(name.c_str(), LKL_O_RDONLY | LKL_O_DIRECTORY);
        ASSERT_TRUE(directory) << directory.error().what;
        directory_ = *std::move(directory);
    }
    void TearDown() override { directory_ = {}; }

    lkl::File make(const char* name, std::string_view data = {})
    {
        auto file = directory_.open_at(name, create, 0644);
        EXPECT_TRUE(file) << file.error().what;
        auto written = file->write(bytes(data));
        EXPECT_TRUE(written && *written == data.size());
        return *std::move(file);
    }

    static std::optional<lkl::Kernel> kernel_;
    static std::optional<lkl::Mount> mount_;
    std::string path_;
    lkl::File directory_;
};

std::optional<lkl::Kernel> FileTest::kernel_;
std::optional<lkl::Mount> FileTest::mount_;

TEST_F(FileTest, WhatIsWrittenIsRead)
{
    const lkl::File file = make("file", "hello, world");
    std::array<char, 64> buffer{};
    auto moved = file.seek(7, LKL_SEEK_SET);
    ASSERT_TRUE(moved);
    EXPECT_EQ(*moved, 7u);
    auto count = file.read(std::as_writable_bytes(std::span(buffer)));
    ASSERT_TRUE(count) << count.error().what;
    EXPECT_EQ(std::string_view(buffer.data(), *count), "world");
    count = file.read(std::as_writable_bytes(std::span(buffer)));
    ASSERT_TRUE(count);
    EXPECT_EQ(*count, 0u) << "not the end of the file";
}

TEST_F(FileTest, OffsetsAreThoseOfTheCallAndDoNotMoveThePosition)
{
    const lkl::File file = make("file", "0123456789");
    ASSERT_TRUE(file.write_at(bytes("ab"), 3));
    std::array<char, 4> first{};
    std::array<char, 8> second{};
    const std::array<iovec, 2> parts{iovec{first.data(), first.size()},
                                     iovec{second.data(), second.size()}};
    auto count = file.read_at(parts, 1);
    ASSERT_TRUE(count) << count.error().what;
    EXPECT_EQ(*count, 9u);
    EXPECT_EQ(std::string_view(first.data(), 4), "12ab");
    EXPECT_EQ(std::string_view(second.data(), 5), "56789");

    std::string x = "xy";
    const std::array<iovec, 1> data{iovec{x.data(), x.size()}};
    ASSERT_TRUE(file.write_at(data, uint64_t{5} << 32));  // past 32 bits
    auto stat = file.stat();
    ASSERT_TRUE(stat);
    EXPECT_EQ(stat->stx_size, (uint64_t{5} << 32) + 2);
    auto position = file.seek(0, LKL_SEEK_CUR);
    ASSERT_TRUE(position);
    EXPECT_EQ(*position, 10u);
}

TEST_F(FileTest, HolesAreFound)
{
    const lkl::File file = make("file");
    ASSERT_TRUE(file.truncate(1 << 20));
    ASSERT_TRUE(file.write_at(bytes("data"), 1 << 19));
    auto data = file.seek(0, LKL_SEEK_DATA);
    ASSERT_TRUE(data) << data.error().what;
    EXPECT_EQ(*data, uint64_t{1} << 19);
    auto none = file.seek(700000, LKL_SEEK_DATA);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ENXIO);
}

TEST_F(FileTest, ErrorsNameTheOperationAndTheFile)
{
    auto file = lkl::File::open(*kernel_, "/no/such/file", LKL_O_RDONLY);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code, ENOENT);
    EXPECT_EQ(file.error().what, "open /no/such/file: No such file or directory");

    auto again = directory_.open_at("file", create, 0600);
    ASSERT_TRUE(again);
    again = directory_.open_at("file", create, 0600);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, EEXIST);
    EXPECT_EQ(again.error().what, "open file: File exists");
}

TEST_F(FileTest, AClosedFileRefusesEverything)
{
    lkl::File file = make("file", "x");
    ASSERT_TRUE(file.close());
    EXPECT_FALSE(file.is_open());
    std::array<std::byte, 4> buffer;
    auto count = file.read(buffer);
    ASSERT_FALSE(count);
    EXPECT_EQ(count.error().code, EBADF);
    EXPECT_FALSE(file.stat());
    EXPECT_TRUE(file.close()) << "closing twice is nothing";
    EXPECT_FALSE(lkl::File().open_at("x", LKL_O_RDONLY));
}

TEST_F(FileTest, MovingHandsTheDescriptorOver)
{
    lkl::File first = make("file", "x");
    const int descriptor = first.descriptor();
    lkl::File second = std::move(first);
    EXPECT_FALSE(first.is_open());  // NOLINT(bugprone-use-after-move): what it is about
    EXPECT_EQ(second.descriptor(), descriptor);
    lkl::File other = make("other");
    second = std::move(other);
    // The first file is closed now: the number is free.
    EXPECT_EQ(kernel_->syscall(__lkl__NR_close, descriptor), -EBADF);
}

TEST_F(FileTest, DestructionClosesTheDescriptor)
{
    int descriptor = -1;
    {
        const lkl::File file = make("file");
        descriptor = file.descriptor();
        EXPECT_EQ(kernel_->syscall(__lkl__NR_fsync, descriptor), 0);
    }
    EXPECT_EQ(kernel_->syscall(__lkl__NR_fsync, descriptor), -EBADF);
}

TEST_F(FileTest, StatTellsOfLinksAndTheirTargets)
{
    make("file", "four");
    ASSERT_EQ(kernel_->syscall(__lkl__NR_symlinkat, "file", directory_.descriptor(), "link"), 0);
    auto link = directory_.stat_at("link");
    ASSERT_TRUE(link);
    EXPECT_EQ(link->stx_mode & LKL_S_IFMT, unsigned{LKL_S_IFLNK});
    auto target = directory_.stat_at("link", lkl::File::basic_stats, 0);
    ASSERT_TRUE(target);
    EXPECT_EQ(target->stx_mode, unsigned{LKL_S_IFREG | 0644});
    EXPECT_EQ(target->stx_size, 4u);
}

TEST_F(FileTest, LinkTargetsOfAnyLengthAreRead)
{
    for (const size_t length : {1, 100, 4095}) {
        const std::string target(length, 't');
        const std::string name = "link-" + std::to_string(length);
        ASSERT_EQ(kernel_->syscall(__lkl__NR_symlinkat, target.c_str(), directory_.descriptor(),
                                   name.c_str()),
                  0);
        auto read = directory_.read_link_at(name.c_str());
        ASSERT_TRUE(read) << read.error().what;
        EXPECT_EQ(*read, target);
    }
    make("file");
    auto no_link = directory_.read_link_at("file");
    ASSERT_FALSE(no_link);
    EXPECT_EQ(no_link.error().code, EINVAL);
}

TEST_F(FileTest, AttributesAreListedReadAndSet)
{
    const lkl::File file = make("file");
    const std::array value{std::byte{0}, std::byte{1}, std::byte{255}};
    auto set = file.set_attribute("trusted.test", value);
    ASSERT_TRUE(set) << set.error().what;

    std::array<char, 256> names{};
    auto length = file.list_attributes(names);
    ASSERT_TRUE(length) << length.error().what;
    EXPECT_EQ(std::string_view(names.data(), *length), std::string_view("trusted.test", 13));
    length = file.list_attributes({});
    ASSERT_TRUE(length);
    EXPECT_EQ(*length, 13u) << "an empty buffer asks for the size";

    std::array<std::byte, 3> read{};
    length = file.get_attribute("trusted.test", read);
    ASSERT_TRUE(length);
    EXPECT_TRUE(std::equal(read.begin(), read.end(), value.begin()));
    length = file.get_attribute("trusted.test", std::span(read).first(1));
    ASSERT_FALSE(length);
    EXPECT_EQ(length.error().code, ERANGE);
    length = file.get_attribute("trusted.other", read);
    ASSERT_FALSE(length);
    EXPECT_EQ(length.error().code, ENODATA);
    EXPECT_NE(length.error().what.find("trusted.other"), std::string::npos);
}

TEST_F(FileTest, AttributesOfSymbolicLinksAreReachedByName)
{
    make("file");
    ASSERT_EQ(kernel_->syscall(__lkl__NR_symlinkat, "file", directory_.descriptor(), "link"), 0);
    auto changed = directory_.make_working_directory();
    ASSERT_TRUE(changed) << changed.error().what;
    ASSERT_EQ(kernel_->syscall(__lkl__NR_lsetxattr, "link", "trusted.of.link", "v", 1, 0), 0);

    std::array<char, 64> names{};
    auto length = lkl::list_attributes(*kernel_, "link", names);
    ASSERT_TRUE(length) << length.error().what;
    EXPECT_EQ(std::string_view(names.data(), *length), std::string_view("trusted.of.link", 16));
    std::array<std::byte, 8> value{};
    length = lkl::get_attribute(*kernel_, "link", "trusted.of.link", value);
    ASSERT_TRUE(length);
    EXPECT_EQ(*length, 1u);
    EXPECT_EQ(value[0], std::byte{'v'});
    length = lkl::list_attributes(*kernel_, "file", names);
    ASSERT_TRUE(length);
    EXPECT_EQ(*length, 0u) << "the attribute is the link's, not the file's";
    ASSERT_EQ(kernel_->syscall(__lkl__NR_chdir, "/"), 0);
}

TEST_F(FileTest, DirectoriesListEachEntryOnceWithItsType)
{
    // More than one buffer full.
    std::map<std::string, lkl::FileType> expected;
    for (int i = 0; i < 3000; i++) {
        const std::string name = "file-with-a-name-of-some-length-" + std::to_string(i);
        make(name.c_str());
        expected[name] = lkl::FileType::regular;
    }
    ASSERT_TRUE(directory_.make_directory_at("directory", 0700));
    expected["directory"] = lkl::FileType::directory;
    ASSERT_EQ(kernel_->syscall(__lkl__NR_symlinkat, "x", directory_.descriptor(), "link"), 0);
    expected["link"] = lkl::FileType::symbolic_link;
    ASSERT_EQ(
        kernel_->syscall(__lkl__NR_mknodat, directory_.descriptor(), "fifo", LKL_S_IFIFO | 0600, 0),
        0);
    expected["fifo"] = lkl::FileType::fifo;
    const std::string longest(255, '\xe9');
    make(longest.c_str());
    expected[longest] = lkl::FileType::regular;

    auto directory = lkl::Directory::open(*kernel_, path_.c_str());
    ASSERT_TRUE(directory) << directory.error().what;
    for (int round = 0; round < 2; round++) {
        std::map<std::string, lkl::FileType> found;
        for (;;) {
            auto entry = directory->next();
            ASSERT_TRUE(entry) << entry.error().what;
            if (*entry == nullptr)
                break;
            EXPECT_TRUE(found.emplace((*entry)->name, (*entry)->type).second) << (*entry)->name;
        }
        EXPECT_EQ(found, expected) << "round " << round;
        ASSERT_TRUE(directory->rewind());
    }
    EXPECT_FALSE(lkl::Directory::open(*kernel_, (path_ + "/fifo").c_str()));
}

TEST_F(FileTest, RemovedNamesAreGone)
{
    make("file");
    ASSERT_TRUE(directory_.make_directory_at("directory", 0700));
    EXPECT_TRUE(directory_.remove_at("file"));
    EXPECT_FALSE(directory_.remove_at("directory"));
    EXPECT_TRUE(directory_.remove_at("directory", LKL_AT_REMOVEDIR));
    auto gone = directory_.stat_at("file");
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().code, ENOENT);
}

TEST_F(FileTest, TheFileSystemIsDescribed)
{
    auto stat = directory_.stat_file_system();
    ASSERT_TRUE(stat) << stat.error().what;
    EXPECT_EQ(stat->f_type, 0x01021994) << "not tmpfs";
    EXPECT_GT(stat->f_blocks, 0);
    const lkl::File file = make("file", "x");
    EXPECT_TRUE(file.sync());
    EXPECT_TRUE(file.sync(true));
    EXPECT_TRUE(file.advise(0, 0, 3));
}

}  // namespace
