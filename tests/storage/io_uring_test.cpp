// SPDX-License-Identifier: GPL-2.0-only
// io_uring of the kernel inside, whose rings the test maps by the kernel's own mmap().
// ctest: TIMEOUT=120
#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>

#include <sys/mman.h>

#include <gtest/gtest.h>

#include <lkl/linux/io_uring.h>
#include <lkl/linux/poll.h>

#include "storage/common/storage.hpp"

namespace lkl::test {
namespace {

using Entry = struct ::lkl_io_uring_sqe;
using Completion = struct ::lkl_io_uring_cqe;

// One ring, for one thread at a time.
class Ring {
public:
    Ring(Kernel& kernel, unsigned entries) : kernel_(kernel)
    {
        struct ::lkl_io_uring_params params {};
        fd_ = good(kernel_.syscall(__lkl__NR_io_uring_setup, entries, &params), "setup");
        ring_size_ = std::max(params.cq_off.cqes + params.cq_entries * sizeof(Completion),
                              params.sq_off.array + params.sq_entries * sizeof(unsigned));
        entries_size_ = params.sq_entries * sizeof(Entry);
        ring_ = map(ring_size_, LKL_IORING_OFF_SQ_RING);
        entries_ = reinterpret_cast<Entry*>(map(entries_size_, LKL_IORING_OFF_SQES));
        sq_tail_ = word(params.sq_off.tail);
        sq_mask_ = *word(params.sq_off.ring_mask);
        sq_array_ = word(params.sq_off.array);
        cq_head_ = word(params.cq_off.head);
        cq_tail_ = word(params.cq_off.tail);
        cq_mask_ = *word(params.cq_off.ring_mask);
        completions_ = reinterpret_cast<Completion*>(ring_ + params.cq_off.cqes);
    }
    ~Ring()
    {
        kernel_.syscall(__lkl__NR_munmap, ring_, ring_size_);
        kernel_.syscall(__lkl__NR_munmap, entries_, entries_size_);
        kernel_.syscall(__lkl__NR_close, fd_);
    }
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;

    // The next entry, with its operation and tag; submit() gives it to the kernel.
    Entry& add(uint8_t operation, long fd, uint64_t tag)
    {
        const unsigned tail = *sq_tail_;
        Entry& entry = entries_[tail & sq_mask_];
        std::memset(&entry, 0, sizeof entry);
        entry.opcode = operation;
        entry.fd = static_cast<int>(fd);
        entry.user_data = tag;
        sq_array_[tail & sq_mask_] = tail & sq_mask_;
        std::atomic_ref(*sq_tail_).store(tail + 1, std::memory_order_release);
        ++queued_;
        return entry;
    }
    Entry& transfer(uint8_t operation, long fd, std::span<const std::byte> data, uint64_t offset,
                    uint64_t tag)
    {
        Entry& entry = add(operation, fd, tag);
        entry.addr = reinterpret_cast<uint64_t>(data.data());
        entry.len = static_cast<unsigned>(data.size());
        entry.off = offset;
        return entry;
    }
    // Submits what is queued; the results of `count` completions by their tags.
    std::map<uint64_t, int> run(unsigned count)
    {
        std::map<uint64_t, int> results;
        do {
            const auto missing = count - static_cast<unsigned>(results.size());
            const long taken = kernel_.syscall(__lkl__NR_io_uring_enter, fd_, queued_, missing,
                                               LKL_IORING_ENTER_GETEVENTS, nullptr, 0);
            queued_ -= static_cast<unsigned>(good(taken, "enter"));
            unsigned head = *cq_head_;
            while (head != std::atomic_ref(*cq_tail_).load(std::memory_order_acquire)) {
                const Completion& completion = completions_[head & cq_mask_];
                EXPECT_TRUE(results.emplace(completion.user_data, completion.res).second)
                    << "a second completion of " << completion.user_data;
                std::atomic_ref(*cq_head_).store(++head, std::memory_order_release);
            }
        } while (results.size() < count);
        EXPECT_EQ(results.size(), count);
        return results;
    }
    int run_one()
    {
        const auto results = run(1);
        return results.begin()->second;
    }
    long enroll(unsigned what, const void* argument, unsigned count)
    {
        return kernel_.syscall(__lkl__NR_io_uring_register, fd_, what, argument, count);
    }

private:
    static long good(long result, const char* what)
    {
        if (result < 0)
            throw std::runtime_error(std::string("io_uring: ") + what + ": errno " +
                                     std::to_string(-result));
        return result;
    }
    std::byte* map(size_t size, uint64_t offset)
    {
        const long address = kernel_.syscall(__lkl__NR_mmap, nullptr, size, PROT_READ | PROT_WRITE,
                                             MAP_SHARED | MAP_POPULATE, fd_, offset);
        return reinterpret_cast<std::byte*>(good(address, "mmap"));
    }
    unsigned* word(unsigned offset) { return reinterpret_cast<unsigned*>(ring_ + offset); }

    Kernel& kernel_;
    long fd_ = -1;
    size_t ring_size_ = 0, entries_size_ = 0;
    std::byte* ring_ = nullptr;
    Entry* entries_ = nullptr;
    Completion* completions_ = nullptr;
    unsigned *sq_tail_ = nullptr, *sq_array_ = nullptr, *cq_head_ = nullptr, *cq_tail_ = nullptr;
    unsigned sq_mask_ = 0, cq_mask_ = 0, queued_ = 0;
};

class IoUring : public Storage {
protected:
    void SetUp() override { calls.mount_at("tmpfs", "/files"); }

    long create(const char* path) { return calls.open(path, LKL_O_RDWR | LKL_O_CREAT); }

    // KiB that the kernel has free.
    long free_memory()
    {
        const std::string text = calls.read_file("/proc/meminfo");
        return std::stol(text.substr(text.find("MemFree:") + 8));
    }

    const Watchdog watchdog{60s, "a completion of io_uring"};
};

TEST_F(IoUring, WritesReadsAndSyncs)
{
    Disk& disk = add_disk(4 * MiB);
    Ring ring(kernel, 8);
    const Bytes data = pattern(MiB, 1);
    Bytes again(MiB);
    const std::string paths[] = {"/files/file", disk.path()};
    for (const std::string& path : paths) {
        SCOPED_TRACE(path);
        const long fd = create(path.c_str());
        ASSERT_GE(fd, 0);
        ring.transfer(LKL_IORING_OP_WRITE, fd, data, MiB, 1);
        EXPECT_EQ(ring.run_one(), static_cast<int>(MiB));
        ring.add(LKL_IORING_OP_FSYNC, fd, 2);
        EXPECT_EQ(ring.run_one(), 0);
        std::ranges::fill(again, std::byte{0});
        ring.transfer(LKL_IORING_OP_READ, fd, again, MiB, 3);
        EXPECT_EQ(ring.run_one(), static_cast<int>(MiB));
        EXPECT_TRUE(again == data);
        EXPECT_EQ(calls.close(fd), 0);
    }
    EXPECT_EQ(same(disk.bytes(MiB, MiB), data), MiB);
    // Not from the page cache: a worker or an interrupt completes it.
    const long fd = calls.open(disk.path().c_str(), LKL_O_RDONLY);
    std::ranges::fill(again, std::byte{0});
    ring.transfer(LKL_IORING_OP_READ, fd, again, MiB, 4);
    EXPECT_EQ(ring.run_one(), static_cast<int>(MiB));
    EXPECT_TRUE(again == data);
    disk.set_broken(true);
    ring.transfer(LKL_IORING_OP_READ, fd, std::span(again).first(4096), 3 * MiB, 5);
    EXPECT_EQ(ring.run_one(), -LKL_EIO);
    EXPECT_EQ(calls.close(fd), 0);
    ring.transfer(LKL_IORING_OP_READ, fd, again, 0, 6);
    EXPECT_EQ(ring.run_one(), -LKL_EBADF);
}

TEST_F(IoUring, PollWaitsForData)
{
    Ring ring(kernel, 8);
    int ends[2];
    ASSERT_EQ(calls.pipe(ends), 0);
    ring.add(LKL_IORING_OP_POLL_ADD, ends[0], 1).poll32_events = LKL_POLLIN;
    EXPECT_TRUE(ring.run(0).empty());
    EXPECT_EQ(calls.write(ends[1], "x", 1), 1);
    EXPECT_EQ(ring.run_one(), LKL_POLLIN);

    // And a read that has to wait, for what another thread writes.
    Bytes data(16);
    EXPECT_EQ(calls.read(ends[0], data.data(), 16), 1);
    ring.transfer(LKL_IORING_OP_READ, ends[0], data, ~uint64_t{0}, 2);
    EXPECT_TRUE(ring.run(0).empty());
    Crew crew;
    crew.add([&] {
        calls.sleep(20ms);
        EXPECT_EQ(calls.write(ends[1], "later", 5), 5);
    });
    EXPECT_EQ(ring.run_one(), 5);
    EXPECT_EQ(std::memcmp(data.data(), "later", 5), 0);
    crew.join();
    EXPECT_EQ(calls.close(ends[0]), 0);
    EXPECT_EQ(calls.close(ends[1]), 0);
}

TEST_F(IoUring, TimeoutsEnd)
{
    Ring ring(kernel, 8);
    const TimeSpec time = to_timespec(30ms);
    Entry& entry = ring.add(LKL_IORING_OP_TIMEOUT, -1, 1);
    entry.addr = reinterpret_cast<uint64_t>(&time);
    entry.len = 1;
    const uint64_t start = now_ns();
    EXPECT_EQ(ring.run_one(), -LKL_ETIME);
    EXPECT_GE(now_ns() - start, 30'000'000u);
}

TEST_F(IoUring, LinkedRequestsAreDoneInOrderUntilOneFails)
{
    Ring ring(kernel, 8);
    const long fd = create("/files/file");
    const Bytes data = pattern(4096, 2);
    Bytes again(4096);
    ring.transfer(LKL_IORING_OP_WRITE, fd, data, 0, 1).flags = LKL_IOSQE_IO_LINK;
    ring.add(LKL_IORING_OP_FSYNC, fd, 2).flags = LKL_IOSQE_IO_LINK;
    ring.transfer(LKL_IORING_OP_READ, fd, again, 0, 3);
    EXPECT_EQ(ring.run(3), (std::map<uint64_t, int>{{1, 4096}, {2, 0}, {3, 4096}}));
    EXPECT_TRUE(again == data);

    ring.transfer(LKL_IORING_OP_READ, -1, again, 0, 1).flags = LKL_IOSQE_IO_LINK;
    ring.transfer(LKL_IORING_OP_WRITE, fd, data, 4096, 2);
    EXPECT_EQ(ring.run(2), (std::map<uint64_t, int>{{1, -LKL_EBADF}, {2, -LKL_ECANCELED}}));
    EXPECT_EQ(calls.pread(fd, again.data(), 4096, 4096), 0) << "written all the same";

    // A time limit for what waits.
    int ends[2];
    ASSERT_EQ(calls.pipe(ends), 0);
    const TimeSpec time = to_timespec(20ms);
    ring.transfer(LKL_IORING_OP_READ, ends[0], again, ~uint64_t{0}, 1).flags = LKL_IOSQE_IO_LINK;
    Entry& limit = ring.add(LKL_IORING_OP_LINK_TIMEOUT, -1, 2);
    limit.addr = reinterpret_cast<uint64_t>(&time);
    limit.len = 1;
    EXPECT_EQ(ring.run(2), (std::map<uint64_t, int>{{1, -LKL_ECANCELED}, {2, -LKL_ETIME}}));
    EXPECT_EQ(calls.close(ends[0]), 0);
    EXPECT_EQ(calls.close(ends[1]), 0);
    EXPECT_EQ(calls.close(fd), 0);
}

TEST_F(IoUring, WhatWaitsIsCancelled)
{
    Ring ring(kernel, 8);
    int ends[2];
    ASSERT_EQ(calls.pipe(ends), 0);
    Bytes data(16);
    ring.transfer(LKL_IORING_OP_READ, ends[0], data, ~uint64_t{0}, 1);
    EXPECT_TRUE(ring.run(0).empty());
    ring.add(LKL_IORING_OP_ASYNC_CANCEL, -1, 2).addr = 1;
    EXPECT_EQ(ring.run(2), (std::map<uint64_t, int>{{1, -LKL_ECANCELED}, {2, 0}}));
    ring.add(LKL_IORING_OP_ASYNC_CANCEL, -1, 3).addr = 1;
    EXPECT_EQ(ring.run_one(), -LKL_ENOENT);
    EXPECT_EQ(calls.close(ends[0]), 0);
    EXPECT_EQ(calls.close(ends[1]), 0);
}

TEST_F(IoUring, ManyInFlightOfSeveralThreads)
{
    Disk& disk = add_disk(16 * MiB);
    const Bytes data = pattern(16 * MiB, 3);
    std::ranges::copy(data, disk.bytes().begin());
    constexpr int threads = 4;
    constexpr unsigned depth = 64;
    Crew crew;
    crew.add(threads, [&](int thread) {
        Ring ring(kernel, depth);
        const long fd = calls.open(disk.path().c_str(), LKL_O_RDONLY);
        ASSERT_GE(fd, 0);
        std::vector<Bytes> blocks(depth, Bytes(8192));
        for (unsigned round = 0; round < 8; ++round) {
            const auto place = [&](unsigned i) {
                return ((i * 31 + round * 7 + static_cast<unsigned>(thread) * 513) % 2048) * 8192;
            };
            for (unsigned i = 0; i < depth; ++i)
                ring.transfer(LKL_IORING_OP_READ, fd, blocks[i], place(i), i);
            for (const auto& [tag, result] : ring.run(depth)) {
                EXPECT_EQ(result, 8192);
                EXPECT_EQ(
                    same(blocks[tag], std::span(data).subspan(place(static_cast<unsigned>(tag)))),
                    8192u);
            }
        }
        EXPECT_EQ(calls.close(fd), 0);
    });
    crew.join();
}

TEST_F(IoUring, RegisteredFilesAndBuffers)
{
    Ring ring(kernel, 8);
    const long fd = create("/files/file");
    const int files[] = {-1, static_cast<int>(fd)};
    EXPECT_EQ(ring.enroll(LKL_IORING_REGISTER_FILES, files, 2), 0);
    EXPECT_EQ(calls.close(fd), 0);  // the ring has its own
    const Bytes data = pattern(4096, 4);
    ring.transfer(LKL_IORING_OP_WRITE, 1, data, 0, 1).flags = LKL_IOSQE_FIXED_FILE;
    EXPECT_EQ(ring.run_one(), 4096);
    ring.transfer(LKL_IORING_OP_WRITE, 0, data, 0, 2).flags = LKL_IOSQE_FIXED_FILE;
    EXPECT_EQ(ring.run_one(), -LKL_EBADF);

    // Buffers have to be memory that the kernel has mapped.
    Bytes ordinary(4096);
    iovec part{ordinary.data(), ordinary.size()};
    EXPECT_EQ(ring.enroll(LKL_IORING_REGISTER_BUFFERS, &part, 1), -LKL_EFAULT);
    PinnedMemory memory(kernel, 4 * 4096);
    part = {memory.bytes().data(), memory.bytes().size()};
    ASSERT_EQ(ring.enroll(LKL_IORING_REGISTER_BUFFERS, &part, 1), 0);
    ring.transfer(LKL_IORING_OP_READ_FIXED, 1, memory.bytes().subspan(4096, 4096), 0, 3).flags =
        LKL_IOSQE_FIXED_FILE;
    EXPECT_EQ(ring.run_one(), 4096);
    EXPECT_EQ(same(memory.bytes().subspan(4096, 4096), data), 4096u);
    ring.transfer(LKL_IORING_OP_READ_FIXED, 1, ordinary, 0, 4).flags = LKL_IOSQE_FIXED_FILE;
    EXPECT_EQ(ring.run_one(), -LKL_EFAULT) << "outside of the buffer";
    EXPECT_EQ(ring.enroll(LKL_IORING_UNREGISTER_BUFFERS, nullptr, 0), 0);
    EXPECT_EQ(ring.enroll(LKL_IORING_UNREGISTER_FILES, nullptr, 0), 0);
}

TEST_F(IoUring, MemoryComesBackWhenRingsAreClosed)
{
    const auto use = [&] {
        for (int i = 0; i < 50; ++i) {
            Ring ring(kernel, 1024);
            ring.add(LKL_IORING_OP_NOP, -1, 1);
            EXPECT_EQ(ring.run_one(), 0);
        }
    };
    use();
    calls.sleep(200ms);
    const long before = free_memory();
    for (int i = 0; i < 4; ++i)
        use();  // 200 rings of about 100 KiB
    // Half of it: KASAN keeps what was freed, up to a 32nd of all memory.
    EXPECT_TRUE(becomes([&] { return free_memory() > before - (10 << 10); }))
        << before << " KiB before, " << free_memory() << " after";
}

// Bad pointers, with the library's handler of faults.
TEST(IoUringFaults, BadPointersAreEfault)
{
    Kernel kernel = boot({.fault_handler = true});
    Calls calls(kernel);
    calls.mount_at("tmpfs", "/files");
    Ring ring(kernel, 8);
    const long fd = calls.open("/files/file", LKL_O_RDWR | LKL_O_CREAT);
    ASSERT_EQ(calls.write(fd, "text", 4), 4);
    void* const nothing = ::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(nothing, MAP_FAILED);
    const std::span<std::byte> bad(static_cast<std::byte*>(nothing), 4096);
    ring.transfer(LKL_IORING_OP_READ, fd, bad, 0, 1);
    EXPECT_EQ(ring.run_one(), -LKL_EFAULT);
    ring.transfer(LKL_IORING_OP_WRITE, fd, bad, 0, 2);
    EXPECT_EQ(ring.run_one(), -LKL_EFAULT);
    ring.transfer(LKL_IORING_OP_READV, fd, bad.first(1), 0, 3);  // one iovec, there
    EXPECT_EQ(ring.run_one(), -LKL_EFAULT);
    Entry& timeout = ring.add(LKL_IORING_OP_TIMEOUT, -1, 4);
    timeout.addr = reinterpret_cast<uint64_t>(nothing);
    timeout.len = 1;
    EXPECT_EQ(ring.run_one(), -LKL_EFAULT);
    EXPECT_EQ(kernel.syscall(__lkl__NR_io_uring_setup, 8, nothing), -LKL_EFAULT);
    EXPECT_EQ(ring.enroll(LKL_IORING_REGISTER_FILES, nothing, 2), -LKL_EFAULT);
    // A read that waits, in another context than the one that asked.
    int ends[2];
    ASSERT_EQ(calls.pipe(ends), 0);
    ring.transfer(LKL_IORING_OP_READ, ends[0], bad, ~uint64_t{0}, 5);
    EXPECT_TRUE(ring.run(0).empty());
    EXPECT_EQ(calls.write(ends[1], "x", 1), 1);
    EXPECT_EQ(ring.run_one(), -LKL_EFAULT);
    ring.transfer(LKL_IORING_OP_READ, fd, bad, 0, 6).flags = LKL_IOSQE_ASYNC;
    EXPECT_EQ(ring.run_one(), -LKL_EFAULT) << "by a worker";
    ::munmap(nothing, 4096);
    EXPECT_EQ(calls.read_file("/files/file"), "text");
}

}  // namespace
}  // namespace lkl::test
