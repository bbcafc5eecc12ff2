// SPDX-License-Identifier: GPL-2.0-only
// ctest: SERIAL
//
// All back ends under the same tests. SERIAL: threads of this process are counted.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <random>
#include <thread>

#include <sys/mman.h>
#include <unistd.h>

#include <lkl/disk.hpp>

#include "temp_file.hpp"
#include "test_disks.hpp"

namespace lkl::test {
namespace {

enum class Kind { uring, threads, uring_direct, threads_direct, memory, overlay };

std::string name_of(Kind kind)
{
    switch (kind) {
    case Kind::uring:
        return "io_uring";
    case Kind::threads:
        return "threads";
    case Kind::uring_direct:
        return "io_uring_direct";
    case Kind::threads_direct:
        return "threads_direct";
    case Kind::memory:
        return "memory";
    case Kind::overlay:
        return "overlay";
    }
    return {};
}

class DiskEngine : public testing::TestWithParam<Kind> {
protected:
    bool direct() const
    {
        return GetParam() == Kind::uring_direct || GetParam() == Kind::threads_direct;
    }
    bool is_file() const { return GetParam() != Kind::memory && GetParam() != Kind::overlay; }

    // A zeroed disk; `file` is set unless it is in memory.
    std::unique_ptr<BlockBackend> make(uint64_t capacity, bool read_only = false)
    {
        if (GetParam() == Kind::memory) {
            auto made = make_memory_disk(capacity, {read_only, "", 512});
            EXPECT_TRUE(made);
            return std::move(*made);
        }
        file = std::make_unique<TempFile>(capacity);
        return open(read_only || GetParam() == Kind::overlay);
    }
    std::unique_ptr<BlockBackend> open(bool read_only)
    {
        FileDiskOptions options;
        options.read_only = read_only;
        options.direct = direct();
        options.engine = GetParam() == Kind::uring || GetParam() == Kind::uring_direct ||
                                 GetParam() == Kind::overlay
                             ? lkl::DiskEngine::io_uring
                             : lkl::DiskEngine::threads;
        auto made = open_file_disk(file->path(), options);
        if (!made) {
            ADD_FAILURE() << made.error().what;
            return nullptr;
        }
        if (GetParam() != Kind::overlay)
            return std::move(*made);
        auto overlay = make_overlay_disk(std::move(*made));
        EXPECT_TRUE(overlay);
        return std::move(*overlay);
    }

    static size_t threads()
    {
        return static_cast<size_t>(
            std::distance(std::filesystem::directory_iterator("/proc/self/task"), {}));
    }

    // Sanitizers have a thread of their own, ThreadSanitizer once there is any thread: one has been
    // here. join() returns before the kernel takes a thread off the list that threads() counts.
    static size_t threads_of_no_disk()
    {
        std::filesystem::path entry;
        std::thread([&] { entry = "/proc/self/task/" + std::to_string(::gettid()); }).join();
        while (std::filesystem::exists(entry))
            std::this_thread::yield();
        return threads();
    }

    std::unique_ptr<TempFile> file;
    const size_t threads_before = threads_of_no_disk();
};

using Bytes = std::vector<unsigned char>;

// Page-aligned memory that ends where it ends.
class Pages {
public:
    explicit Pages(size_t size) : size_(size)
    {
        data_ = static_cast<unsigned char*>(std::aligned_alloc(4096, (size + 4095) / 4096 * 4096));
    }
    ~Pages() { std::free(data_); }
    Pages(const Pages&) = delete;
    Pages& operator=(const Pages&) = delete;
    unsigned char* data() const { return data_; }
    size_t size() const { return size_; }

private:
    size_t size_;
    unsigned char* data_;
};

void fill_word(unsigned char* at, unsigned value)
{
    std::memcpy(at, &value, sizeof value);
}

// Cuts memory into a random number of buffers.
std::vector<iovec> cut(unsigned char* data, size_t size, size_t grain, std::mt19937& random)
{
    std::vector<iovec> buffers;
    const size_t most = 1 + random() % 12;
    for (size_t done = 0; done < size;) {
        size_t part = size - done;
        if (buffers.size() + 1 < most)
            part = std::min(part, grain * (1 + random() % (size / grain)));
        buffers.push_back({data + done, part});
        done += part;
    }
    return buffers;
}

TEST_P(DiskEngine, random_requests_agree_with_a_copy)
{
    constexpr uint64_t capacity = 4 << 20;
    constexpr size_t slots = 64;  // of the disk; requests in flight use different ones
    constexpr size_t slot_size = capacity / slots;
    const auto disk = make(capacity);
    const uint32_t block = disk->info().logical_block_size;
    std::mt19937 random(1);
    Bytes shadow(capacity);
    const Pages memory(capacity);

    for (int round = 0; round < 300; ++round) {
        if (file && round % 10 == 0)
            file->make_cold();
        std::vector<size_t> order(slots);
        for (size_t i = 0; i < slots; ++i)
            order[i] = i;
        std::shuffle(order.begin(), order.end(), random);
        std::vector<std::unique_ptr<WaitRequest>> requests;
        std::vector<BlockRequest*> batch;
        std::vector<std::pair<uint64_t, size_t>> ranges;
        for (size_t n = 1 + random() % 32, i = 0; i < n; ++i) {
            const size_t blocks = 1 + random() % (slot_size / block);
            const size_t size = blocks * block;
            const uint64_t offset =
                order[i] * slot_size + random() % (slot_size / block - blocks + 1) * block;
            unsigned char* const data = memory.data() + order[i] * slot_size;
            // With O_DIRECT, buffers that the host cannot use as they are, too.
            const size_t grain = direct() ? 512 : 1;
            auto buffers = cut(data, size, grain, random);
            const bool write = random() % 2 != 0;
            if (write)
                for (size_t b = 0; b < size; b += 4)
                    fill_word(data + b, random());
            requests.push_back(std::make_unique<WaitRequest>(write ? BlockOp::write : BlockOp::read,
                                                             offset, std::move(buffers)));
            requests.back()->durable = write && random() % 16 == 0;
            ranges.emplace_back(offset, size);
            if (write)
                std::copy_n(data, size, shadow.begin() + static_cast<ptrdiff_t>(offset));
            batch.push_back(requests.back().get());
        }
        disk->submit(batch);
        for (size_t i = 0; i < requests.size(); ++i) {
            ASSERT_EQ(requests[i]->wait(), 0);
            ASSERT_EQ(requests[i]->completions(), 1u);
            if (requests[i]->op == BlockOp::read) {
                const auto [offset, size] = ranges[i];
                ASSERT_EQ(std::memcmp(memory.data() + order[i] * slot_size, &shadow[offset], size),
                          0);
            }
        }
        if (round % 50 == 0) {
            ASSERT_EQ(command(*disk, BlockOp::flush), 0);
        }
    }
    if (is_file()) {
        EXPECT_EQ(file->read(0, capacity), shadow);
    }
    if (GetParam() == Kind::overlay) {
        EXPECT_EQ(file->read(0, capacity), Bytes(capacity)) << "the base was written to";
    }
}

TEST_P(DiskEngine, more_requests_than_the_engine_takes_at_once)
{
    constexpr size_t count = 1500;
    const auto disk = make(count * 4096);
    const Pages memory(count * 4096);
    for (const BlockOp op : {BlockOp::write, BlockOp::read}) {
        std::vector<std::unique_ptr<WaitRequest>> requests;
        std::vector<BlockRequest*> batch;
        for (size_t i = 0; i < count; ++i) {
            std::memset(memory.data() + i * 4096, op == BlockOp::write ? int(i % 251) : 0, 4096);
            requests.push_back(std::make_unique<WaitRequest>(
                op, i * 4096, std::vector<iovec>{{memory.data() + i * 4096, 4096}}));
            batch.push_back(requests.back().get());
        }
        if (file)
            file->make_cold();
        disk->submit(batch);
        for (auto& request : requests) {
            ASSERT_EQ(request->wait(), 0);
        }
    }
    for (size_t i = 0; i < count; ++i)
        ASSERT_EQ(memory.data()[i * 4096 + 77], i % 251);
}

TEST_P(DiskEngine, more_buffers_than_one_call_takes)
{
    constexpr size_t count = 2500;  // IOV_MAX is 1024
    const auto disk = make(count * 512);
    const uint32_t block = disk->info().logical_block_size;
    const size_t size = count * 512 / block * block;
    const Pages memory(2 * count * 512);
    std::vector<iovec> out, in;
    for (size_t i = 0; i < size / 512; ++i) {
        std::memset(memory.data() + i * 512, int(1 + i % 255), 512);
        out.push_back({memory.data() + i * 512, 512});
        in.push_back({memory.data() + (2 * count - 1 - i) * 512, 512});
    }
    WaitRequest write(BlockOp::write, 0, std::move(out));
    EXPECT_EQ(run(*disk, write), 0);
    WaitRequest read(BlockOp::read, 0, std::move(in));
    EXPECT_EQ(run(*disk, read), 0);
    for (size_t i = 0; i < size / 512; ++i)
        ASSERT_EQ(memory.data()[(2 * count - 1 - i) * 512 + 511], 1 + i % 255);
}

TEST_P(DiskEngine, past_2_tib)
{
    constexpr uint64_t capacity = 5ull << 40;
    if (GetParam() == Kind::memory)
        GTEST_SKIP() << "no host has that much memory";
    const auto disk = make(capacity);
    if (!file->sized())
        GTEST_SKIP() << "the file system takes no file of 5 TiB";
    ASSERT_EQ(disk->info().capacity, capacity);
    const Pages memory(4096);
    constexpr uint64_t tib = 1ull << 40;
    constexpr std::array<uint64_t, 3> offsets{2 * tib - 4096, 2 * tib, capacity - 4096};
    for (const uint64_t offset : offsets) {
        std::memset(memory.data(), int(offset >> 39) + 1, 4096);
        EXPECT_EQ(transfer(*disk, BlockOp::write, offset, memory.data(), 4096), 0);
    }
    EXPECT_EQ(command(*disk, BlockOp::flush), 0);
    for (const uint64_t offset : offsets) {
        EXPECT_EQ(transfer(*disk, BlockOp::read, offset, memory.data(), 4096), 0);
        EXPECT_EQ(memory.data()[0], int(offset >> 39) + 1);
        EXPECT_EQ(memory.data()[4095], int(offset >> 39) + 1);
    }
    EXPECT_EQ(transfer(*disk, BlockOp::read, 0, memory.data(), 4096), 0);
    EXPECT_EQ(memory.data()[0], 0) << "offsets were cut off";
    if (is_file()) {
        EXPECT_LT(file->blocks(), 1000u);
    }
}

TEST_P(DiskEngine, discard_and_write_zeroes)
{
    constexpr uint64_t capacity = 1 << 20;
    const auto disk = make(capacity);
    const Pages memory(capacity);
    const BlockInfo info = disk->info();
    std::memset(memory.data(), 0xa5, capacity);
    ASSERT_EQ(transfer(*disk, BlockOp::write, 0, memory.data(), capacity), 0);
    EXPECT_EQ(info.discard, GetParam() != Kind::overlay);
    EXPECT_EQ(info.write_zeroes, GetParam() != Kind::overlay);
    if (!info.discard) {
        EXPECT_EQ(command(*disk, BlockOp::discard, 0, 4096), -EOPNOTSUPP);
        EXPECT_EQ(command(*disk, BlockOp::write_zeroes, 0, 4096), -EOPNOTSUPP);
        return;
    }
    if (is_file()) {
        ASSERT_EQ(command(*disk, BlockOp::flush), 0);
    }
    const uint64_t before = is_file() ? file->blocks() : 0;
    EXPECT_EQ(command(*disk, BlockOp::discard, 0, 256 << 10), 0);
    if (is_file()) {
        EXPECT_LE(file->blocks(), before - 500) << "the place was not given back";
    }
    // Uneven ranges must not touch what is beside them.
    WaitRequest unmap(BlockOp::write_zeroes, (512 << 10) + 512, 64 << 10);
    unmap.unmap = true;
    unmap.durable = true;
    EXPECT_EQ(run(*disk, unmap), 0);
    const uint64_t middle = is_file() ? file->blocks() : 0;
    EXPECT_EQ(command(*disk, BlockOp::write_zeroes, (768 << 10) - 1024, 3 << 10), 0);
    if (is_file()) {
        EXPECT_GE(file->blocks() + 8, middle) << "zeroes without leave to deallocate";
    }
    Bytes expected(capacity, 0xa5);
    const auto zero = [&](uint64_t offset, uint64_t length) {
        std::fill_n(expected.begin() + static_cast<ptrdiff_t>(offset), length, 0);
    };
    zero(0, 256 << 10);
    zero((512 << 10) + 512, 64 << 10);
    zero((768 << 10) - 1024, 3 << 10);
    ASSERT_EQ(transfer(*disk, BlockOp::read, 0, memory.data(), capacity), 0);
    EXPECT_EQ(Bytes(memory.data(), memory.data() + capacity), expected);
    if (is_file()) {
        EXPECT_EQ(file->size(), capacity);
    }
}

// io_uring cancels what a thread submitted when that thread ends; that must not
// become an error of the disk.
TEST_P(DiskEngine, submitting_thread_ends_with_requests_in_flight)
{
    constexpr size_t size = 64 << 10;
    constexpr size_t count = 64;
    const auto disk = make(size * count);
    const Pages memory(size * count);
    for (int round = 0; round < 20; ++round) {
        const BlockOp op = round % 2 == 0 ? BlockOp::write : BlockOp::read;
        std::memset(memory.data(), op == BlockOp::write ? round + 1 : 0, memory.size());
        if (file)
            file->make_cold();
        std::vector<std::unique_ptr<WaitRequest>> requests;
        for (size_t i = 0; i < count; ++i)
            requests.push_back(std::make_unique<WaitRequest>(
                op, i * size, std::vector<iovec>{{memory.data() + i * size, size}}));
        for (size_t i = 0; i < count; i += 8)
            std::thread([&, i] {
                std::vector<BlockRequest*> batch;
                for (size_t j = 0; j < 8; ++j)
                    batch.push_back(requests[i + j].get());
                disk->submit(batch);
            }).join();
        for (auto& request : requests)
            ASSERT_EQ(request->wait(), 0);
        for (size_t i = 0; op == BlockOp::read && i < memory.size(); i += 511)
            ASSERT_EQ(memory.data()[i], round);
    }
}

TEST_P(DiskEngine, refuses_to_write_when_read_only)
{
    if (GetParam() == Kind::overlay)
        GTEST_SKIP() << "an overlay is there to be written";
    const auto disk = make(1 << 20, true);
    EXPECT_TRUE(disk->info().read_only);
    EXPECT_FALSE(disk->info().discard);
    EXPECT_FALSE(disk->info().write_zeroes);
    const Pages memory(4096);
    std::memset(memory.data(), 1, 4096);
    EXPECT_EQ(transfer(*disk, BlockOp::write, 0, memory.data(), 4096), -EIO);
    EXPECT_EQ(command(*disk, BlockOp::discard, 0, 4096), -EIO);
    EXPECT_EQ(command(*disk, BlockOp::write_zeroes, 0, 4096), -EIO);
    EXPECT_EQ(transfer(*disk, BlockOp::read, 0, memory.data(), 4096), 0);
    EXPECT_EQ(memory.data()[0], 0);
}

TEST_P(DiskEngine, memory_that_is_not_there_is_an_io_error)
{
    if (!is_file())
        GTEST_SKIP() << "memory disks copy in this process: the device checks addresses";
    const auto disk = make(1 << 20);
    void* const gap = ::mmap(nullptr, 1 << 16, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(gap, MAP_FAILED);
    EXPECT_EQ(transfer(*disk, BlockOp::read, 0, gap, 4096), -EIO);
    EXPECT_EQ(transfer(*disk, BlockOp::write, 0, gap, 4096), -EIO);
    ::munmap(gap, 1 << 16);
    const Pages memory(4096);
    EXPECT_EQ(transfer(*disk, BlockOp::read, 0, memory.data(), 4096), 0);
}

TEST_P(DiskEngine, file_that_was_truncated_is_an_io_error)
{
    if (!is_file())
        GTEST_SKIP() << "not a file";
    const auto disk = make(1 << 20);
    ASSERT_EQ(::ftruncate(file->fd(), 64 << 10), 0);
    const Pages memory(128 << 10);
    EXPECT_EQ(transfer(*disk, BlockOp::read, 0, memory.data(), 64 << 10), 0);
    EXPECT_EQ(transfer(*disk, BlockOp::read, 512 << 10, memory.data(), 4096), -EIO);
    EXPECT_EQ(transfer(*disk, BlockOp::read, 0, memory.data(), 128 << 10), -EIO);
}

TEST_P(DiskEngine, threads_end_when_idle_and_come_back)
{
    const auto disk = make(1 << 20);
    EXPECT_EQ(threads(), threads_before) << "threads without a request";
    const Pages memory(1 << 20);
    for (int round = 0; round < 2; ++round) {
        if (file)
            file->make_cold();
        EXPECT_EQ(transfer(*disk, BlockOp::write, 0, memory.data(), 1 << 20), 0);
        EXPECT_EQ(transfer(*disk, BlockOp::read, 0, memory.data(), 1 << 20), 0);
        EXPECT_EQ(command(*disk, BlockOp::flush), 0);
        EXPECT_LE(threads(), threads_before + 9);
        // Threads of the disk linger for 2 seconds, io_uring's own for 5.
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (threads() > threads_before && std::chrono::steady_clock::now() < end)
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        EXPECT_EQ(threads(), threads_before);
    }
}

TEST_P(DiskEngine, leaves_nothing_behind)
{
    const auto descriptors = [] {
        return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
    };
    make(1 << 20).reset();
    const auto before = descriptors();
    const Pages memory(64 << 10);
    for (int round = 0; round < 50; ++round) {
        const auto disk = file ? open(GetParam() == Kind::overlay) : make(1 << 20);
        ASSERT_TRUE(disk) << "round " << round;
        ASSERT_EQ(transfer(*disk, BlockOp::write, 0, memory.data(), 64 << 10), 0);
        if (file)
            file->make_cold();
        ASSERT_EQ(transfer(*disk, BlockOp::read, 0, memory.data(), 64 << 10), 0);
    }
    EXPECT_EQ(descriptors(), before);
    // The kernel takes its part of a ring apart in the background.
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (threads() > threads_before && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(threads(), threads_before);
}

INSTANTIATE_TEST_SUITE_P(, DiskEngine,
                         testing::Values(Kind::uring, Kind::threads, Kind::uring_direct,
                                         Kind::threads_direct, Kind::memory, Kind::overlay),
                         [](const auto& info) { return name_of(info.param); });

}  // namespace
}  // namespace lkl::test
