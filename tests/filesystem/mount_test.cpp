// SPDX-License-Identifier: GPL-2.0-only
// lkl::Mount and lkl::list_partitions() on images that the real tools made.
#include <lkl/mount.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/mman.h>

#include <gtest/gtest.h>

#include <lkl/asm-generic/errno.h>
#include <lkl/asm/unistd.h>
#include <lkl/disk.hpp>
#include <lkl/file.hpp>
#include <lkl/kernel.hpp>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/mount.h>
#include <lkl/linux/stat.h>

namespace {

using namespace std::chrono_literals;

// A disk in memory, filled from a file, that fails on request.
class FailingDisk final : public lkl::BlockBackend {
public:
    struct Switches {
        std::atomic<bool> reads = false;
        std::atomic<bool> writes = false;
        std::atomic<bool> flushes = false;
        std::atomic<char> data = 0;    // writes that begin with it
        std::atomic<int> after = -1;   // the write that comes after so many
        std::atomic<int> written = 0;  // how many have come
    };

    FailingDisk(const std::string& path, Switches& fail) : fail_(fail)
    {
        bytes_.resize(std::filesystem::file_size(path));
        std::ifstream(path, std::ios::binary).read(bytes_.data(), std::ssize(bytes_));
    }

    lkl::BlockInfo info() const override
    {
        lkl::BlockInfo info;
        info.capacity = bytes_.size();
        return info;
    }

    void submit(std::span<lkl::BlockRequest* const> requests) noexcept override
    {
        for (lkl::BlockRequest* const request : requests)
            request->complete(handle(*request));
    }

private:
    int handle(const lkl::BlockRequest& request)
    {
        const bool chosen = request.op == lkl::BlockOp::write && fail_.written++ == fail_.after;
        if (chosen || (request.op == lkl::BlockOp::read && fail_.reads) ||
            (request.op == lkl::BlockOp::write && fail_.writes) ||
            (request.op == lkl::BlockOp::flush && fail_.flushes) ||
            (request.op == lkl::BlockOp::write && fail_.data != 0 && !request.iov.empty() &&
             *static_cast<const char*>(request.iov[0].iov_base) == fail_.data))
            return -EIO;
        char* place = bytes_.data() + request.offset;
        for (const iovec& part : request.iov) {
            if (request.op == lkl::BlockOp::read)
                std::memcpy(part.iov_base, place, part.iov_len);
            else if (request.op == lkl::BlockOp::write)
                std::memcpy(place, part.iov_base, part.iov_len);
            place += part.iov_len;
        }
        return 0;
    }

    Switches& fail_;
    std::vector<char> bytes_;
};

class MountTest : public testing::Test {
protected:
    void SetUp() override
    {
        std::string name = (std::filesystem::temp_directory_path() / "lkl-mount-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        work_ = name;
        auto kernel = lkl::Kernel::start();
        ASSERT_TRUE(kernel) << kernel.error().what;
        kernel_.emplace(*std::move(kernel));
    }
    void TearDown() override
    {
        kernel_.reset();
        std::filesystem::remove_all(work_);
    }

    // Runs a shell command in the test's directory.
    void run(const std::string& command)
    {
        const std::string line = "cd '" + work_ + "' && { " + command + "; } >log 2>&1";
        if (std::system(line.c_str()) != 0) {
            std::ifstream log(work_ + "/log");
            FAIL() << command << ": " << std::string(std::istreambuf_iterator<char>(log), {});
        }
    }

    lkl::DiskId add(const std::string& image, bool read_only = false)
    {
        lkl::FileDiskOptions options;
        options.read_only = read_only;
        auto backend = lkl::open_file_disk(work_ + '/' + image, options);
        EXPECT_TRUE(backend) << backend.error().what;
        auto disk = kernel_->add_disk(*std::move(backend));
        EXPECT_TRUE(disk) << disk.error().what;
        return *disk;
    }

    static lkl::MountOptions ext4(std::string_view words = {}, unsigned partition = 0)
    {
        lkl::MountOptions options;
        options.type = "ext4";
        options.partition = partition;
        options.add(words);
        return options;
    }

    std::string work_;
    std::optional<lkl::Kernel> kernel_;
};

TEST_F(MountTest, FilesOfADiskAreReachedAndWrittenBack)
{
    run("truncate -s 16M image && /sbin/mkfs.ext4 -q image");
    const lkl::DiskId disk = add("image");
    {
        auto mount = lkl::Mount::disk(*kernel_, disk, ext4());
        ASSERT_TRUE(mount) << mount.error().what;
        auto file = lkl::File::open(*kernel_, (mount->path() + "/new").c_str(),
                                    LKL_O_WRONLY | LKL_O_CREAT, 0640);
        ASSERT_TRUE(file) << file.error().what;
        ASSERT_TRUE(file->write(std::as_bytes(std::span(std::string_view("from lkl\n")))));
        ASSERT_TRUE(file->close());
        auto unmounted = mount->unmount();
        ASSERT_TRUE(unmounted) << unmounted.error().what;
        EXPECT_FALSE(mount->unmount()) << "unmounted twice";
    }
    auto removed = kernel_->remove_disk(disk);
    ASSERT_TRUE(removed) << removed.error().what;
    // e2fsprogs is the judge, not we.
    run("/sbin/e2fsck -fn image");
    run("test \"$(/sbin/debugfs -R 'cat new' image 2>/dev/null)\" = 'from lkl'");
}

TEST_F(MountTest, UnmountReportsWritesAndFlushesThatFailed)
{
    // Without a journal, nothing but the write-back itself can notice.
    run("truncate -s 16M image && /sbin/mkfs.ext4 -q -O ^has_journal image");
    FailingDisk::Switches fail;
    const auto disk = kernel_->add_disk(std::make_unique<FailingDisk>(work_ + "/image", fail));
    ASSERT_TRUE(disk) << disk.error().what;
    const auto unmount_after = [&](const char* name, auto&& break_disk) {
        auto mount = lkl::Mount::disk(*kernel_, *disk, ext4());
        EXPECT_TRUE(mount) << mount.error().what;
        auto file = lkl::File::open(*kernel_, (mount->path() + name).c_str(),
                                    LKL_O_WRONLY | LKL_O_CREAT, 0640);
        EXPECT_TRUE(file) << file.error().what;
        EXPECT_TRUE(file->write(std::as_bytes(std::span(std::string_view("lost\n")))));
        EXPECT_TRUE(file->close());
        break_disk();
        auto unmounted = mount->unmount();
        fail.writes = fail.flushes = false;
        return unmounted ? 0 : unmounted.error().code;
    };
    EXPECT_EQ(unmount_after("/first", [] {}), 0);
    EXPECT_EQ(unmount_after("/second", [&] { fail.flushes = true; }), EIO);
    EXPECT_EQ(unmount_after("/third", [&] { fail.writes = true; }), EIO);
    // It was unmounted all the same.
    EXPECT_TRUE(kernel_->remove_disk(*disk));
}

// XFS writes its log past the pages of the disk, and tells nobody of the last of it.
TEST_F(MountTest, UnmountReportsAWriteOfItsOwnThatFailed)
{
    run("truncate -s 300M image && /sbin/mkfs.xfs -q image");
    lkl::MountOptions xfs;
    xfs.type = "xfs";
    const auto unmount_with = [&](int after) {
        FailingDisk::Switches fail;
        const auto disk = kernel_->add_disk(std::make_unique<FailingDisk>(work_ + "/image", fail));
        EXPECT_TRUE(disk) << disk.error().what;
        auto mount = lkl::Mount::disk(*kernel_, *disk, xfs);
        EXPECT_TRUE(mount) << mount.error().what;
        fail.written = 0;
        fail.after = after;
        const auto unmounted = mount->unmount();
        EXPECT_EQ(unmounted ? 0 : unmounted.error().code, after < 0 ? 0 : EIO);
        EXPECT_TRUE(mount->is_released());
        EXPECT_EQ(kernel_->failed_writes(*disk), after < 0 ? 0U : 1U);
        EXPECT_TRUE(kernel_->remove_disk(*disk));
        EXPECT_EQ(kernel_->failed_writes(*disk), 0U);
        return fail.written.load();
    };
    const int writes = unmount_with(-1);
    ASSERT_GT(writes, 0);
    unmount_with(writes - 1);
}

// What is left of a removed file XFS frees when it freezes, if not before; where it cannot, it
// shuts itself down, and the freeze succeeds.
TEST_F(MountTest, UnmountReportsAnXfsThatShutsItselfDownAtTheEnd)
{
    run("truncate -s 300M image && /sbin/mkfs.xfs -q image");
    lkl::MountOptions xfs;
    xfs.type = "xfs";
    FailingDisk::Switches fail;
    const auto disk = kernel_->add_disk(std::make_unique<FailingDisk>(work_ + "/image", fail));
    ASSERT_TRUE(disk) << disk.error().what;
    std::string path;
    {
        auto mount = lkl::Mount::disk(*kernel_, *disk, xfs);
        ASSERT_TRUE(mount) << mount.error().what;
        path = mount->path() + "/removed";
        auto file = lkl::File::open(*kernel_, path.c_str(), LKL_O_WRONLY | LKL_O_CREAT, 0640);
        ASSERT_TRUE(file) << file.error().what;
        const std::vector<std::byte> data(65536, std::byte{1});
        ASSERT_TRUE(file->write(data));
        ASSERT_TRUE(file->close());
        ASSERT_TRUE(mount->unmount());
    }
    auto mount = lkl::Mount::disk(*kernel_, *disk, xfs);
    ASSERT_TRUE(mount) << mount.error().what;
    ASSERT_EQ(kernel_->syscall(__lkl__NR_unlinkat, LKL_AT_FDCWD, path.c_str(), 0), 0);
    fail.reads = true;
    const auto unmounted = mount->unmount();
    ASSERT_FALSE(unmounted);
    EXPECT_EQ(unmounted.error().code, EIO);
    EXPECT_TRUE(mount->is_released());
}

// An ext4 on a disk that fails when it is told to, and a file that is open to lose its data.
class LostFileTest : public MountTest {
protected:
    void SetUp() override
    {
        MountTest::SetUp();
        run("truncate -s 16M image && /sbin/mkfs.ext4 -q image");
        auto added = kernel_->add_disk(std::make_unique<FailingDisk>(work_ + "/image", fail));
        ASSERT_TRUE(added) << added.error().what;
        disk = *added;
        auto mounted = lkl::Mount::disk(*kernel_, disk, ext4());
        ASSERT_TRUE(mounted) << mounted.error().what;
        mount.emplace(*std::move(mounted));
        auto opened = lkl::File::open(*kernel_, (mount->path() + "/lost").c_str(),
                                      LKL_O_WRONLY | LKL_O_CREAT, 0640);
        ASSERT_TRUE(opened) << opened.error().what;
        file.emplace(*std::move(opened));
    }
    void TearDown() override
    {
        file.reset();
        mount.reset();
        MountTest::TearDown();
    }
    // What the unmount tells.
    void is_told(const lkl::Result<void>& unmounted)
    {
        ASSERT_FALSE(unmounted);
        EXPECT_EQ(unmounted.error().code, EIO);
        EXPECT_TRUE(kernel_->remove_disk(disk)) << "it was unmounted all the same";
    }

    FailingDisk::Switches fail;
    lkl::DiskId disk{};
    std::optional<lkl::Mount> mount;
    std::optional<lkl::File> file;
};

// What syncfs(2) says once, or not at all, is known at the end.
TEST_F(LostFileTest, UnmountReportsAJournalThatHasFailedBefore)
{
    fail.writes = true;
    (void)file->sync_file_system();
    (void)file->sync_file_system();
    fail.writes = false;
    EXPECT_TRUE(file->close());
    is_told(mount->unmount());
}

// Nobody is told, then.
TEST_F(LostFileTest, AMountThatHasLostSomethingIsUnmountedAtItsEnd)
{
    fail.writes = true;
    (void)file->sync_file_system();
    EXPECT_TRUE(file->close());
    file.reset();
    const std::string path = mount->path();
    mount.reset();
    EXPECT_EQ(lkl::mount_at(*kernel_, path.c_str()), 0U);
    EXPECT_TRUE(kernel_->remove_disk(disk));
}

// It cannot be looked at when the unmount begins.
TEST_F(LostFileTest, UnmountReportsWhatWasLostWhileItWasHidden)
{
    ASSERT_TRUE(file->write(std::as_bytes(std::span(std::string_view("lost\n")))));
    ASSERT_TRUE(file->close());
    fail.data = 'l';
    const char* const path = mount->path().c_str();
    ASSERT_EQ(kernel_->syscall(__lkl__NR_mount, "none", path, "tmpfs", 0, nullptr), 0);
    std::thread other([&] {
        std::this_thread::sleep_for(100ms);
        EXPECT_EQ(kernel_->syscall(__lkl__NR_umount2, path, 0), 0);
    });
    const auto unmounted = mount->unmount(20s);
    other.join();
    is_told(unmounted);
}

// Of a mount and the removal of its disk, one is refused.
TEST_F(MountTest, NothingIsMountedFromADiskThatIsBeingRemoved)
{
    run("truncate -s 16M image && /sbin/mkfs.ext4 -q image");
    int mounted = 0;
    for (int i = 0; i < 200; ++i) {
        const lkl::DiskId disk = add("image");
        std::atomic<bool> stop = false;
        std::optional<lkl::Mount> mount;
        std::thread mounter([&] {
            while (!stop && !mount) {
                if (auto done = lkl::Mount::disk(*kernel_, disk, ext4()))
                    mount.emplace(*std::move(done));
            }
        });
        std::this_thread::sleep_for(std::chrono::microseconds(50 * (i % 40)));
        const auto removed = kernel_->remove_disk(disk);
        stop = true;
        mounter.join();
        if (removed) {
            ASSERT_FALSE(mount) << "round " << i;
            continue;
        }
        ASSERT_EQ(removed.error().code, EBUSY) << removed.error().what;
        if (mount) {
            ++mounted;
            ASSERT_TRUE(mount->unmount());
        }
        ASSERT_TRUE(kernel_->remove_disk(disk)) << "round " << i;
    }
    EXPECT_GT(mounted, 0);
}

TEST_F(MountTest, ABusyFileSystemStaysUntilItsFilesAreClosed)
{
    run("truncate -s 16M image && /sbin/mkfs.ext4 -q image");
    auto mount = lkl::Mount::disk(*kernel_, add("image"), ext4());
    ASSERT_TRUE(mount) << mount.error().what;
    auto file = lkl::File::open(*kernel_, (mount->path() + "/new").c_str(),
                                LKL_O_WRONLY | LKL_O_CREAT, 0640);
    ASSERT_TRUE(file);

    const auto start = std::chrono::steady_clock::now();
    auto unmounted = mount->unmount(100ms);
    ASSERT_FALSE(unmounted);
    EXPECT_EQ(unmounted.error().code, EBUSY);
    EXPECT_GE(std::chrono::steady_clock::now() - start, 100ms);
    EXPECT_TRUE(lkl::File::open(*kernel_, (mount->path() + "/new").c_str(), LKL_O_RDONLY));

    ASSERT_TRUE(file->close());
    unmounted = mount->unmount();
    EXPECT_TRUE(unmounted) << unmounted.error().what;
}

TEST_F(MountTest, WhoHasReadAttributesOfALinkKeepsNothingBusy)
{
    run("truncate -s 16M image && /sbin/mkfs.ext4 -q image");
    auto mount = lkl::Mount::disk(*kernel_, add("image"), ext4());
    ASSERT_TRUE(mount) << mount.error().what;
    auto top = lkl::File::open(*kernel_, mount->path().c_str(), LKL_O_RDONLY);
    ASSERT_TRUE(top);
    ASSERT_EQ(kernel_->syscall(__lkl__NR_symlinkat, "target", top->descriptor(), "link"), 0);

    const std::string value = "kept";
    const std::span given = std::as_bytes(std::span(value));
    EXPECT_TRUE(top->set_attribute_at("link", "trusted.name", given));
    std::array<char, 100> names{};
    const auto listed = top->list_attributes_at("link", names);
    ASSERT_TRUE(listed) << listed.error().what;
    EXPECT_STREQ(names.data(), "trusted.name");
    std::array<std::byte, 100> found{};
    const auto got = top->get_attribute_at("link", "trusted.name", found);
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_TRUE(std::ranges::equal(std::span(found).first(*got), given));
    EXPECT_TRUE(top->remove_attribute_at("link", "trusted.name"));
    ASSERT_TRUE(top->close());

    const auto unmounted = mount->unmount(0ms);
    EXPECT_TRUE(unmounted) << unmounted.error().what;
}

TEST_F(MountTest, TheDestructorUnmounts)
{
    run("truncate -s 16M image && /sbin/mkfs.ext4 -q image");
    const lkl::DiskId disk = add("image");
    std::string path;
    {
        auto mount = lkl::Mount::disk(*kernel_, disk, ext4());
        ASSERT_TRUE(mount) << mount.error().what;
        path = mount->path();
    }
    auto directory = lkl::File::open(*kernel_, path.c_str(), LKL_O_RDONLY);
    ASSERT_FALSE(directory);
    EXPECT_EQ(directory.error().code, ENOENT) << "the mount point stays";
    EXPECT_TRUE(lkl::Mount::disk(*kernel_, disk, ext4("ro"))) << "cannot be mounted again";
}

TEST_F(MountTest, ErrorsTellWhatIsWrong)
{
    run("truncate -s 16M image nothing && /sbin/mkfs.ext4 -q image");
    const lkl::DiskId disk = add("image");
    const auto code = [&](lkl::DiskId id, const lkl::MountOptions& options) {
        const auto mount = lkl::Mount::disk(*kernel_, id, options);
        return mount ? 0 : mount.error().code;
    };
    auto mount = lkl::Mount::disk(*kernel_, disk, ext4());
    ASSERT_TRUE(mount) << mount.error().what;
    EXPECT_EQ(code(disk, ext4()), EBUSY);
    ASSERT_TRUE(mount->unmount());

    EXPECT_EQ(code(disk, ext4({}, 1)), ENXIO);
    EXPECT_EQ(code(disk, ext4("nonsense=1")), EINVAL);
    lkl::MountOptions other;
    other.type = "nosuchfs";
    EXPECT_EQ(code(disk, other), ENODEV);
    EXPECT_EQ(code(add("nothing"), ext4()), EINVAL);
    lkl::DiskId none;
    none.device = 0xfff00;
    EXPECT_NE(code(none, ext4()), 0);
    EXPECT_EQ(code(none, ext4({}, 1)), ENOENT);
}

TEST_F(MountTest, AReadOnlyDiskIsNotWrittenTo)
{
    run("truncate -s 16M image && /sbin/mkfs.ext4 -q image && cp image copy");
    {
        const lkl::DiskId disk = add("image", true);
        EXPECT_FALSE(lkl::Mount::disk(*kernel_, disk, ext4())) << "mounted for writing";
        auto mount = lkl::Mount::disk(*kernel_, disk, ext4("ro"));
        ASSERT_TRUE(mount) << mount.error().what;
        auto file = lkl::File::open(*kernel_, (mount->path() + "/new").c_str(),
                                    LKL_O_WRONLY | LKL_O_CREAT, 0640);
        ASSERT_FALSE(file);
        EXPECT_EQ(file.error().code, EROFS);
    }
    run("cmp image copy");
}

TEST_F(MountTest, PartitionsAreListedAsTheTableSays)
{
    run("truncate -s 100M image && printf '%s\\n' 'label: dos' '1: start=2048, size=10000' "
        "'2: start=20480, size=180000, type=5' '5: start=22528, size=4096' "
        "'6: start=30720, size=8192' '4: start=202752, size=2048' | /sbin/sfdisk -q image");
    auto partitions = lkl::list_partitions(*kernel_, add("image"));
    ASSERT_TRUE(partitions) << partitions.error().what;
    ASSERT_EQ(partitions->size(), 5u);
    const std::array<unsigned, 5> numbers{1, 2, 4, 5, 6};
    for (size_t i = 0; i < numbers.size(); i++)
        EXPECT_EQ((*partitions)[i].number, numbers[i]);
    EXPECT_EQ((*partitions)[0].offset, 2048u * 512);
    EXPECT_EQ((*partitions)[0].size, 10000u * 512);
    EXPECT_EQ((*partitions)[4].offset, 30720u * 512);
    EXPECT_EQ((*partitions)[4].size, 8192u * 512);

    run("truncate -s 1M plain");
    partitions = lkl::list_partitions(*kernel_, add("plain"));
    ASSERT_TRUE(partitions) << partitions.error().what;
    EXPECT_TRUE(partitions->empty());
}

TEST_F(MountTest, EachOfManyPartitionsCanBeMounted)
{
    // More than the minor numbers that a disk has of its own.
    run("truncate -s 120M image && { echo 'label: gpt'; "
        "for n in $(seq 20); do echo \"start=$((n * 10240)), size=8192\"; done; } | "
        "/sbin/sfdisk -q image && truncate -s 4M part && /sbin/mkfs.ext4 -q part && "
        "for n in $(seq 20); do /sbin/debugfs -w -R \"mkdir partition-$n\" part && "
        "dd if=part of=image bs=512 seek=$((n * 10240)) conv=notrunc status=none && "
        "/sbin/debugfs -w -R \"rmdir partition-$n\" part; done");
    const lkl::DiskId disk = add("image", true);
    for (unsigned number = 1; number <= 20; number++) {
        auto mount = lkl::Mount::disk(*kernel_, disk, ext4("ro", number));
        ASSERT_TRUE(mount) << number << ": " << mount.error().what;
        const std::string path = mount->path() + "/partition-" + std::to_string(number);
        EXPECT_TRUE(lkl::File::open(*kernel_, path.c_str(), LKL_O_RDONLY)) << path;
    }
    const auto none = lkl::Mount::disk(*kernel_, disk, ext4("ro", 21));
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ENXIO);
    EXPECT_EQ(none.error().what, "partition 21: no such partition");
}

TEST_F(MountTest, SpecialFileSystemsAreMountedAnywhere)
{
    {
        auto proc = lkl::Mount::special(*kernel_, "proc", "/a/b/c");
        ASSERT_TRUE(proc) << proc.error().what;
        auto version = lkl::File::open(*kernel_, "/a/b/c/version", LKL_O_RDONLY);
        ASSERT_TRUE(version) << version.error().what;
        std::array<char, 256> text{};
        auto length = version->read(std::as_writable_bytes(std::span(text)));
        ASSERT_TRUE(length);
        EXPECT_TRUE(std::string_view(text.data(), *length).starts_with("Linux version "));
    }
    EXPECT_FALSE(lkl::File::open(*kernel_, "/a/b/c/version", LKL_O_RDONLY));
}

// Linux alone would read words of a path and a page of options beyond the end of the
// program's memory; nobody handles that fault here.
TEST_F(MountTest, PathsAndOptionsAreReadToTheirEnd)
{
    constexpr size_t page = 4096;
    auto* const memory = static_cast<char*>(
        ::mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(memory, MAP_FAILED);
    ASSERT_EQ(::mprotect(memory + page, page, PROT_NONE), 0);
    const auto last = [memory](std::string_view text) {
        char* const start = memory + page - text.size() - 1;
        start[text.copy(start, text.size())] = 0;
        return start;
    };
    const auto mode = [this] {
        struct lkl_statx status {};
        EXPECT_EQ(
            kernel_->syscall(__lkl__NR_statx, LKL_AT_FDCWD, "/place", 0, LKL_STATX_MODE, &status),
            0);
        return status.stx_mode & 07777;
    };
    ASSERT_EQ(kernel_->syscall(__lkl__NR_mkdirat, LKL_AT_FDCWD, "/place", 0755), 0);
    const auto mount = [this](const char* type, unsigned long flags, const char* options) {
        return kernel_->syscall(__lkl__NR_mount, "none", "/place", type, flags, options);
    };
    EXPECT_EQ(mount("tmpfs", 0, last("mode=0711")), 0);
    EXPECT_EQ(mode(), 0711u);
    EXPECT_EQ(mount(nullptr, LKL_MS_REMOUNT, last("size=1m")), 0);
    EXPECT_EQ(mount("tmpfs", 0, last("mode=nonsense")), -LKL_EINVAL);
    EXPECT_EQ(mount("no such type", 0, last("mode=0711")), -LKL_ENODEV);
    EXPECT_EQ(mount(nullptr, 0, last("mode=0711")), -LKL_EINVAL);
    EXPECT_EQ(mount("btrfs", 0, last("nospace_cache")), -LKL_ENOENT);
    EXPECT_EQ(mount("nfs", 0, last("addr=10.0.0.1")), -LKL_EINVAL);
    // More than a page is cut off, inside a word that it does not know.
    const std::string large(2 * page, 'x');
    EXPECT_EQ(mount("tmpfs", 0, large.c_str()), -LKL_EINVAL);
    // A structure, of which the first word is its version: too old for the file handle.
    EXPECT_EQ(mount("nfs", 0, std::string(page, 1).c_str()), -LKL_EINVAL);
    for (const char* path : {"/place/1", "/place/12", "/place/123", "/place/1234", "/place/12345"})
        EXPECT_EQ(kernel_->syscall(__lkl__NR_mkdirat, LKL_AT_FDCWD, last(path), 0755), 0);
    EXPECT_EQ(kernel_->syscall(__lkl__NR_umount2, "/place", 0), 0);
    ::munmap(memory, 2 * page);
}

}  // namespace
