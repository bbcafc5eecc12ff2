// SPDX-License-Identifier: GPL-2.0-only
// What the host can do to a file disk: every call of it fails, is interrupted, or
// does less than asked for. This program brings its own preadv2(), pwritev2(),
// fdatasync(), fallocate() and io_uring_submit(), which the library then uses.
#include <atomic>
#include <cerrno>
#include <cstring>
#include <functional>
#include <mutex>
#include <thread>

#include <dlfcn.h>
#include <liburing.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <lkl/disk.hpp>
#include <platform/posix/cpus.hpp>

#include "temp_file.hpp"
#include "test_disks.hpp"

namespace {

enum class Call { read, write, sync, allocate, ring };

// Decides about one call of the host. Returns 0: let it be; a negative errno: fail
// with that; a positive number: do at most so many bytes. Called with a lock held.
std::function<long(Call, int flags)> decide;
std::mutex decide_mutex;
std::atomic<unsigned> calls[5];
std::atomic<unsigned> durable_entries{0};      // given to the ring with RWF_DSYNC
std::atomic<bool> durable_entry_fails{false};  // the next one of them
std::atomic<bool> threads_fail{false};

long ask(Call call, int flags)
{
    ++calls[static_cast<int>(call)];
    const std::lock_guard lock(decide_mutex);
    return decide ? decide(call, flags) : 0;
}

ssize_t transfer(Call call, long number, int fd, const iovec* buffers, int count, off_t offset,
                 int flags)
{
    const long decision = ask(call, flags);
    if (decision < 0) {
        errno = static_cast<int>(-decision);
        return -1;
    }
    if (decision > 0) {
        iovec first = buffers[0];
        first.iov_len = std::min<size_t>(first.iov_len, static_cast<size_t>(decision));
        return ::syscall(number, fd, &first, 1, offset, 0, flags);
    }
    return ::syscall(number, fd, buffers, count, offset, 0, flags);
}

}  // namespace

extern "C" {

ssize_t preadv2(int fd, const iovec* buffers, int count, off_t offset, int flags)
{
    return transfer(Call::read, SYS_preadv2, fd, buffers, count, offset, flags);
}

ssize_t pwritev2(int fd, const iovec* buffers, int count, off_t offset, int flags)
{
    return transfer(Call::write, SYS_pwritev2, fd, buffers, count, offset, flags);
}

int fdatasync(int fd)
{
    if (const long decision = ask(Call::sync, 0)) {
        errno = static_cast<int>(-decision);
        return -1;
    }
    return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
    if (const long decision = ask(Call::allocate, mode)) {
        errno = static_cast<int>(-decision);
        return -1;
    }
    return static_cast<int>(::syscall(SYS_fallocate, fd, mode, offset, length));
}

// What the ring has done at once is changed in its completion queue.
int io_uring_submit(io_uring* ring)
{
    static const auto real =
        reinterpret_cast<int (*)(io_uring*)>(::dlsym(RTLD_NEXT, "io_uring_submit"));
    static thread_local unsigned seen = 0;
    for (unsigned i = ring->sq.sqe_head; i != ring->sq.sqe_tail; ++i) {
        io_uring_sqe& entry = ring->sq.sqes[i & *ring->sq.kring_mask];
        if ((entry.rw_flags & RWF_DSYNC) == 0)
            continue;
        ++durable_entries;
        if (durable_entry_fails.exchange(false))
            entry.fd = 1;  // the ring has one file
    }
    const int result = real(ring);
    unsigned head = 0;
    io_uring_cqe* entry = nullptr;
    io_uring_for_each_cqe(ring, head, entry)
    {
        if (static_cast<int>(head - seen) < 0)
            continue;  // judged before
        const long decision = ask(Call::ring, 0);
        if (decision < 0)
            entry->res = static_cast<int>(decision);
        else if (decision > 0 && entry->res > decision)
            entry->res = static_cast<int>(decision);
    }
    seen = head;
    return result;
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument)
{
    static const auto real =
        reinterpret_cast<decltype(&pthread_create)>(::dlsym(RTLD_NEXT, "pthread_create"));
    if (threads_fail)
        return EAGAIN;
    return real(thread, attributes, start, argument);
}

}  // extern "C"

namespace lkl::test {
namespace {

using Bytes = std::vector<unsigned char>;
constexpr size_t size = 64 << 10;

class DiskFaults : public testing::TestWithParam<DiskEngine> {
protected:
    DiskFaults()
    {
        for (auto& count : calls)
            count = 0;
        durable_entries = 0;
        file.write(0, Bytes(1 << 20, 0x11));
        reopen();
    }
    ~DiskFaults() override
    {
        set(nullptr);
        threads_fail = false;
    }

    void reopen()
    {
        disk.reset();
        FileDiskOptions options;
        options.engine = GetParam();
        auto opened = open_file_disk(file.path(), options);
        ASSERT_TRUE(opened);
        disk = std::move(*opened);
    }
    // False: the host's file system has no O_DIRECT.
    bool reopen_direct()
    {
        disk.reset();
        FileDiskOptions options;
        options.engine = GetParam();
        options.direct = true;
        auto opened = open_file_disk(file.path(), options);
        if (opened)
            disk = std::move(*opened);
        return opened.has_value();
    }

    static void set(std::function<long(Call, int)> function)
    {
        const std::lock_guard lock(decide_mutex);
        decide = std::move(function);
    }

    // Nothing is in the page cache, as far as the library can tell.
    static long cold(Call call, int flags)
    {
        return (call == Call::read || call == Call::write) && (flags & RWF_NOWAIT) ? -EAGAIN : 0;
    }

    int write(unsigned char value, bool durable = false)
    {
        const std::unique_ptr<void, void (*)(void*)> data(std::aligned_alloc(4096, size),
                                                          std::free);
        std::memset(data.get(), value, size);
        WaitRequest request(BlockOp::write, 0, {iovec{data.get(), size}});
        request.durable = durable;
        return run(*disk, request);
    }
    int read(unsigned char value)
    {
        Bytes data(size, static_cast<unsigned char>(~value));
        const int result = transfer(*disk, BlockOp::read, 0, data.data(), size);
        if (result == 0) {
            EXPECT_EQ(data, Bytes(size, value));
        }
        return result;
    }
    static unsigned count(Call call) { return calls[static_cast<int>(call)]; }
    // Where reads that miss the page cache go.
    static Call slow_read() { return GetParam() == DiskEngine::io_uring ? Call::ring : Call::read; }

    TempFile file{1 << 20};
    std::unique_ptr<BlockBackend> disk;
};

TEST_P(DiskFaults, flush_is_an_fdatasync)
{
    EXPECT_EQ(write(1), 0);
    EXPECT_EQ(count(Call::sync), 0u);
    EXPECT_EQ(command(*disk, BlockOp::flush), 0);
    EXPECT_EQ(count(Call::sync), 1u);
    EXPECT_EQ(command(*disk, BlockOp::flush), 0);
    EXPECT_EQ(count(Call::sync), 2u);
}

// The guest is told when the host has said it, not earlier.
TEST_P(DiskFaults, flush_completes_after_the_fdatasync)
{
    std::atomic<bool> inside{false};
    std::atomic<bool> leave{false};
    set([&](Call call, int) {
        inside = inside || call == Call::sync;
        while (call == Call::sync && !leave)
            std::this_thread::yield();
        return 0L;
    });
    WaitRequest flush(BlockOp::flush, 0, 0);
    BlockRequest* const one = &flush;
    disk->submit({&one, 1});
    while (!inside)
        std::this_thread::yield();
    EXPECT_FALSE(flush.done());
    leave = true;
    EXPECT_EQ(flush.wait(), 0);
}

TEST_P(DiskFaults, durable_write_is_synchronous)
{
    std::atomic<int> durable{0};
    set([&](Call call, int flags) {
        durable += call == Call::write && (flags & RWF_DSYNC);
        return 0L;
    });
    EXPECT_EQ(write(1, true), 0);
    EXPECT_EQ(durable, 1);
    WaitRequest discard(BlockOp::discard, 0, 4096);
    discard.durable = true;
    EXPECT_EQ(run(*disk, discard), 0);
    EXPECT_EQ(count(Call::sync), 1u);
    if (!reopen_direct())
        GTEST_SKIP() << "no O_DIRECT here";
    durable = 0;
    EXPECT_EQ(write(1, true), 0);
    EXPECT_EQ(durable + static_cast<int>(durable_entries), 1);
    EXPECT_EQ(command(*disk, BlockOp::flush), 0);
    EXPECT_EQ(count(Call::sync), 2u) << "O_DIRECT is past the page cache, not the disk's";
}

TEST_P(DiskFaults, hot_reads_complete_within_submit)
{
    EXPECT_EQ(read(0x11), 0);  // now it is in the page cache
    const unsigned before = count(Call::read);
    Bytes data(4096);
    WaitRequest request(BlockOp::read, 0, {iovec{data.data(), 4096}});
    BlockRequest* const one = &request;
    disk->submit({&one, 1});
    EXPECT_TRUE(request.done());
    EXPECT_EQ(count(Call::read), before + 1);
    EXPECT_EQ(count(Call::ring), 0u);
}

TEST_P(DiskFaults, engine_takes_what_the_page_cache_does_not_have)
{
    set(cold);
    EXPECT_EQ(read(0x11), 0);
    EXPECT_EQ(count(Call::ring) > 0, GetParam() == DiskEngine::io_uring);
}

// Long reads are copied on another thread, and what the page cache does not have goes
// the way of the others.
TEST_P(DiskFaults, long_reads_do_not_keep_the_submitting_thread)
{
    if (posix::cpus() == 1)
        GTEST_SKIP() << "only where there is another CPU";
    constexpr size_t length = 512 << 10;
    const auto self = std::this_thread::get_id();
    std::atomic<int> here{0};
    for (const bool hot : {true, false}) {
        const unsigned before = count(Call::ring);
        set([&](Call call, int flags) {
            here += call == Call::read && std::this_thread::get_id() == self;
            return hot ? 0 : cold(call, flags);
        });
        Bytes data(length);
        EXPECT_EQ(transfer(*disk, BlockOp::read, 0, data.data(), length), 0);
        EXPECT_EQ(data, Bytes(length, 0x11));
        EXPECT_EQ(here, 0);
        EXPECT_EQ(count(Call::ring) > before, !hot && GetParam() == DiskEngine::io_uring);
    }
}

// What the ring will never do is done by a call that blocks, also of those reads that a
// thread tried first.
TEST_P(DiskFaults, requests_that_the_ring_refuses)
{
    for (const size_t length : {size_t{4096}, size_t{512} << 10}) {
        set([](Call call, int flags) { return call == Call::ring ? -EAGAIN : cold(call, flags); });
        Bytes data(length);
        EXPECT_EQ(transfer(*disk, BlockOp::read, 0, data.data(), length), 0);
        EXPECT_EQ(data, Bytes(length, 0x11));
    }
}

// Buffers that O_DIRECT cannot take.
TEST_P(DiskFaults, buffers_that_the_ring_refuses)
{
    if (!reopen_direct())
        GTEST_SKIP() << "no O_DIRECT here";
    set([](Call call, int) { return call == Call::ring ? -EINVAL : 0L; });
    EXPECT_EQ(write(0x44), 0);
    EXPECT_EQ(read(0x44), 0);
}

TEST_P(DiskFaults, interruptions_and_cancellations_are_tried_again)
{
    for (const long error : {-EINTR, -EAGAIN, -ECANCELED}) {
        std::atomic<int> left{7};
        set([&](Call call, int flags) {
            if (const long result = cold(call, flags))
                return result;
            const bool data = call == Call::read || call == Call::write || call == Call::ring;
            return data && left-- > 0 ? error : 0L;
        });
        EXPECT_EQ(read(0x11), 0) << error;
        EXPECT_LE(left, 6) << error;
        EXPECT_EQ(write(0x11), 0) << error;
    }
    // Other calls are only interrupted.
    std::atomic<int> left{3};
    set([&](Call call, int) {
        return (call == Call::sync || call == Call::allocate) && left-- > 0 ? -EINTR : 0L;
    });
    EXPECT_EQ(command(*disk, BlockOp::flush), 0);
    left = 3;
    EXPECT_EQ(command(*disk, BlockOp::write_zeroes, 0, 4096), 0);
    left = 3;
    EXPECT_EQ(command(*disk, BlockOp::discard, 0, 4096), 0);
}

TEST_P(DiskFaults, short_transfers_are_continued)
{
    for (const long most : {1L, 511L, 513L, 4096L}) {
        for (const bool hot : {true, false}) {
            std::atomic<int> left{20};
            set([&](Call call, int flags) {
                const long result = hot ? 0 : cold(call, flags);
                return result == 0 && left-- > 0 ? most : result;
            });
            EXPECT_EQ(write(0x22), 0);
            left = 20;
            EXPECT_EQ(read(0x22), 0);
            EXPECT_LT(left, 20) << "nothing was cut short";
            set(nullptr);
            EXPECT_EQ(file.read(0, size), Bytes(size, 0x22));
        }
    }
}

TEST_P(DiskFaults, errors_are_io_errors_but_for_a_full_disk)
{
    struct {
        long host;
        int disk;
    } const cases[] = {{-EIO, -EIO},       {-ENXIO, -EIO},     {-EFBIG, -EIO},     {-EBADF, -EIO},
                       {-ENOSPC, -ENOSPC}, {-EDQUOT, -ENOSPC}, {-EOPNOTSUPP, -EIO}};
    for (const auto& [host, expected] : cases) {
        set([host = host](Call call, int flags) {
            const long result = cold(call, flags);
            return result != 0 || call == Call::sync || call == Call::allocate ? result : host;
        });
        EXPECT_EQ(read(0x11), expected) << host;
        EXPECT_EQ(write(0x11), expected) << host;
        set(nullptr);
        EXPECT_EQ(read(0x11), 0) << "an error is not for ever";
        EXPECT_EQ(write(0x11), 0);
    }
}

TEST_P(DiskFaults, host_without_rwf_nowait)
{
    for (const long error : {-EOPNOTSUPP, -ENOSYS, -EINVAL}) {
        reopen();
        set([&](Call, int flags) { return flags & RWF_NOWAIT ? error : 0L; });
        EXPECT_EQ(read(0x11), 0);
        EXPECT_EQ(write(0x11), 0);
        // It is not asked again.
        std::atomic<int> asked{0};
        set([&](Call, int flags) {
            asked += (flags & RWF_NOWAIT) != 0;
            return 0L;
        });
        EXPECT_EQ(read(0x11), 0);
        EXPECT_EQ(write(0x11), 0);
        EXPECT_EQ(asked, 0);
    }
}

// After a failed fdatasync() Linux forgets what was not written; a later one that
// succeeds says nothing.
TEST_P(DiskFaults, failed_flush_stays_failed)
{
    set([](Call call, int) { return call == Call::sync ? -EIO : 0L; });
    EXPECT_EQ(command(*disk, BlockOp::flush), -EIO);
    set(nullptr);
    EXPECT_EQ(command(*disk, BlockOp::flush), -EIO);
    EXPECT_EQ(write(1), 0);
    EXPECT_EQ(command(*disk, BlockOp::flush), -EIO);
    reopen();
    EXPECT_EQ(command(*disk, BlockOp::flush), 0);
}

// Other writes may have been lost with it, of which no flush will tell any more.
TEST_P(DiskFaults, failed_durable_write_fails_what_follows)
{
    for (const bool direct : {false, true}) {
        reopen();
        if (direct && !reopen_direct())
            GTEST_SKIP() << "no O_DIRECT here";
        durable_entry_fails = true;
        set([&](Call call, int flags) {
            const bool durable = call == Call::write && (flags & RWF_DSYNC);
            return durable && durable_entry_fails.exchange(false) ? -EIO : 0L;
        });
        EXPECT_EQ(write(1, true), -EIO);
        EXPECT_FALSE(durable_entry_fails) << "nothing has failed";
        EXPECT_EQ(command(*disk, BlockOp::flush), -EIO);
        EXPECT_EQ(write(1, true), -EIO);
        EXPECT_EQ(write(2), 0) << "what promises nothing goes on";
        EXPECT_EQ(read(2), 0);
        reopen();
        EXPECT_EQ(command(*disk, BlockOp::flush), 0);
        EXPECT_EQ(write(3, true), 0);
        set(nullptr);
    }
    // The other way round.
    set([](Call call, int) { return call == Call::sync ? -EIO : 0L; });
    EXPECT_EQ(command(*disk, BlockOp::flush), -EIO);
    EXPECT_EQ(write(1, true), -EIO);
}

TEST_P(DiskFaults, file_system_without_holes)
{
    set([](Call call, int) { return call == Call::allocate ? -EOPNOTSUPP : 0L; });
    EXPECT_EQ(command(*disk, BlockOp::discard, 0, 4096), -EOPNOTSUPP);
    EXPECT_EQ(read(0x11), 0) << "discarded after all";
    EXPECT_EQ(command(*disk, BlockOp::write_zeroes, 0, size), 0);
    EXPECT_EQ(read(0), 0);
    EXPECT_EQ(file.read(size, 512), Bytes(512, 0x11));
    // Writing the zeroes may fail, too; and be cut short.
    set([](Call call, int) { return call == Call::allocate ? -EOPNOTSUPP : -ENOSPC; });
    EXPECT_EQ(command(*disk, BlockOp::write_zeroes, 0, size), -ENOSPC);
    set([](Call call, int) { return call == Call::allocate ? -EOPNOTSUPP : 1000L; });
    EXPECT_EQ(command(*disk, BlockOp::write_zeroes, size, size), 0);
    set(nullptr);
    EXPECT_EQ(file.read(size, size), Bytes(size, 0));
    EXPECT_EQ(file.read(2 * size, 512), Bytes(512, 0x11));
}

TEST_P(DiskFaults, failed_holes)
{
    set([](Call call, int) { return call == Call::allocate ? -EIO : 0L; });
    EXPECT_EQ(command(*disk, BlockOp::discard, 0, 4096), -EIO);
    EXPECT_EQ(command(*disk, BlockOp::write_zeroes, 0, 4096), -EIO);
}

// The n-th call fails, for all n until a whole round of work succeeds: so every
// error path has run once, and none has lost a request.
TEST_P(DiskFaults, any_single_call_may_fail)
{
    for (unsigned n = 0;; ++n) {
        ASSERT_LT(n, 100u);
        reopen();
        std::atomic<unsigned> left{n};
        std::atomic<bool> failed{false};
        set([&](Call call, int flags) {
            if (const long result = cold(call, flags))
                return result;
            if (left-- != 0)
                return 0L;
            failed = true;
            return static_cast<long>(-EIO);
        });
        unsigned errors = 0;
        errors += write(0x11) != 0;
        errors += read(0x11) != 0;
        errors += command(*disk, BlockOp::write_zeroes, 512 << 10, 4096) != 0;
        errors += command(*disk, BlockOp::discard, 512 << 10, 4096) != 0;
        errors += command(*disk, BlockOp::flush) != 0;
        EXPECT_EQ(errors, failed ? 1u : 0u) << "call " << n;
        if (!failed) {
            EXPECT_GE(n, 5u);
            break;
        }
    }
}

TEST_P(DiskFaults, works_without_threads)
{
    threads_fail = true;
    set(cold);
    EXPECT_EQ(write(0x33), 0);
    EXPECT_EQ(read(0x33), 0);
    EXPECT_EQ(command(*disk, BlockOp::flush), 0);
    EXPECT_EQ(count(Call::sync), 1u);
    threads_fail = false;
    EXPECT_EQ(read(0x33), 0);
    EXPECT_EQ(count(Call::ring) > 0, GetParam() == DiskEngine::io_uring);
}

INSTANTIATE_TEST_SUITE_P(, DiskFaults, testing::Values(DiskEngine::io_uring, DiskEngine::threads),
                         [](const auto& info) {
                             return info.param == DiskEngine::io_uring ? "io_uring" : "threads";
                         });

}  // namespace
}  // namespace lkl::test
