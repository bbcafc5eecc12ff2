// SPDX-License-Identifier: GPL-2.0-only
// Disks of a program's own functions, driven as the virtio device does.
#include <array>
#include <atomic>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include <csignal>
#include <pthread.h>

#include <gtest/gtest.h>

#include <lkl/asm/errno.h>

#include "capi/callback_disk.hpp"

#include "test_disks.hpp"

namespace {

using lkl::BlockOp;
using lkl::capi::make_callback_disk;
using lkl::test::WaitRequest;

// A program with its disk in memory, that keeps a list of what it was asked.
struct Program {
    std::vector<char> bytes = std::vector<char>(64 * 512);
    std::mutex mutex;
    std::vector<unsigned> types;
    std::vector<lkl_blk_req*> held;  // submit() with hold: not yet complete
    bool hold = false;
    int status = LKL_DEV_BLK_STATUS_OK;
    int flush_status = LKL_DEV_BLK_STATUS_OK;
    int capacity_error = 0;
    lkl_blk_info info{};
    int info_error = 0;
    std::atomic<pthread_t> caller{};
    bool signals_blocked = false;

    int carry_out(lkl_blk_req& request)
    {
        const std::lock_guard lock(mutex);
        types.push_back(request.type);
        caller = pthread_self();
        sigset_t blocked;
        pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
        signals_blocked = sigismember(&blocked, SIGTERM) == 1;
        if (request.type == LKL_DEV_BLK_TYPE_FLUSH)
            return flush_status;
        if (status != LKL_DEV_BLK_STATUS_OK)
            return status;
        size_t at = request.sector * 512;
        for (int i = 0; i < request.count; i++) {
            const iovec& part = request.buf[i];
            if (request.type == LKL_DEV_BLK_TYPE_READ)
                std::memcpy(part.iov_base, bytes.data() + at, part.iov_len);
            else
                std::memcpy(bytes.data() + at, part.iov_base, part.iov_len);
            at += part.iov_len;
        }
        return LKL_DEV_BLK_STATUS_OK;
    }

    std::vector<unsigned> asked()
    {
        const std::lock_guard lock(mutex);
        return types;
    }
};

Program& program_of(lkl_disk disk)
{
    return *static_cast<Program*>(disk.handle);
}

int get_capacity(lkl_disk disk, unsigned long long* capacity)
{
    Program& program = program_of(disk);
    // Not a multiple of a sector: the rest is not used.
    *capacity = program.bytes.size() + 100;
    return program.capacity_error;
}

int request(lkl_disk disk, lkl_blk_req* request)
{
    return program_of(disk).carry_out(*request);
}

void submit(lkl_disk disk, lkl_blk_req* request)
{
    Program& program = program_of(disk);
    if (program.hold) {
        program.held.push_back(request);
        return;
    }
    lkl_blk_complete(request, program.carry_out(*request));
}

int get_info(lkl_disk disk, lkl_blk_info* info)
{
    Program& program = program_of(disk);
    EXPECT_EQ(info->size, sizeof(*info));
    program.info.size = info->size;
    *info = program.info;
    return program.info_error;
}

class CallbackDisk : public testing::Test {
protected:
    lkl_disk disk()
    {
        lkl_disk disk{};
        disk.handle = &program;
        disk.ops = &ops;
        return disk;
    }

    std::unique_ptr<lkl::BlockBackend> make()
    {
        auto made = make_callback_disk(disk());
        EXPECT_TRUE(made);
        return made ? *std::move(made) : nullptr;
    }

    int error() { return make_callback_disk(disk()).error().code; }

    Program program;
    lkl_dev_blk_ops ops{
        .get_capacity = get_capacity, .request = request, .submit = nullptr, .get_info = nullptr};
};

// The same for both forms.
class CallbackDiskForms : public CallbackDisk, public testing::WithParamInterface<bool> {
protected:
    void SetUp() override
    {
        if (GetParam()) {
            ops.request = nullptr;
            ops.submit = submit;
        }
    }

    // What add_disk() itself asks of the form with request() is not of interest.
    std::unique_ptr<lkl::BlockBackend> make()
    {
        auto backend = CallbackDisk::make();
        program.types.clear();
        return backend;
    }
};

INSTANTIATE_TEST_SUITE_P(Forms, CallbackDiskForms, testing::Bool(),
                         [](const auto& info) { return info.param ? "submit" : "request"; });

TEST_P(CallbackDiskForms, ReadsBackWhatWasWritten)
{
    auto backend = make();
    EXPECT_EQ(backend->info().capacity, program.bytes.size());
    std::array<char, 1024> data;
    std::array<char, 1024> back{};
    for (size_t i = 0; i < data.size(); i++)
        data[i] = static_cast<char>(i * 7);
    WaitRequest write(BlockOp::write, 3 * 512, {iovec{data.data(), data.size()}});
    WaitRequest read(BlockOp::read, 3 * 512, {iovec{back.data(), back.size()}});
    lkl::BlockRequest* first[] = {&write};
    backend->submit(first);
    EXPECT_EQ(write.wait(), 0);
    lkl::BlockRequest* second[] = {&read};
    backend->submit(second);
    EXPECT_EQ(read.wait(), 0);
    EXPECT_EQ(back, data);
    EXPECT_EQ(std::memcmp(program.bytes.data() + 3 * 512, data.data(), data.size()), 0);
}

TEST_P(CallbackDiskForms, ManyRequestsAreAllCompletedOnce)
{
    auto backend = make();
    std::array<std::array<char, 512>, 64> memory{};
    std::vector<std::unique_ptr<WaitRequest>> requests;
    std::vector<lkl::BlockRequest*> list;
    for (size_t i = 0; i < memory.size(); i++) {
        memory[i].fill(static_cast<char>(i + 1));
        requests.push_back(std::make_unique<WaitRequest>(BlockOp::write, i * 512,
                                                         std::vector<iovec>{{&memory[i], 512}}));
        list.push_back(requests.back().get());
    }
    backend->submit(list);
    for (auto& request : requests)
        EXPECT_EQ(request->wait(), 0);
    backend.reset();
    for (size_t i = 0; i < memory.size(); i++) {
        EXPECT_EQ(requests[i]->completions(), 1u);
        EXPECT_EQ(program.bytes[i * 512], static_cast<char>(i + 1));
        EXPECT_EQ(program.bytes[i * 512 + 511], static_cast<char>(i + 1));
    }
}

TEST_P(CallbackDiskForms, StatusBecomesAnErrorNumber)
{
    auto backend = make();
    const struct {
        int status;
        int result;
    } cases[] = {{LKL_DEV_BLK_STATUS_IOERR, -LKL_EIO},
                 {LKL_DEV_BLK_STATUS_UNSUP, -LKL_EOPNOTSUPP},
                 {-1, -LKL_EIO},
                 {77, -LKL_EIO}};
    for (const auto& [status, result] : cases) {
        program.status = status;
        char data[512];
        WaitRequest read(BlockOp::read, 0, {iovec{data, sizeof(data)}});
        lkl::BlockRequest* list[] = {&read};
        backend->submit(list);
        EXPECT_EQ(read.wait(), result);
    }
}

TEST_P(CallbackDiskForms, ADurableWriteIsFlushedBeforeItIsComplete)
{
    auto backend = make();
    char data[512] = "x";
    WaitRequest write(BlockOp::write, 0, {iovec{data, sizeof(data)}});
    write.durable = true;
    lkl::BlockRequest* list[] = {&write};
    backend->submit(list);
    EXPECT_EQ(write.wait(), 0);
    EXPECT_EQ(program.asked(),
              (std::vector<unsigned>{LKL_DEV_BLK_TYPE_WRITE, LKL_DEV_BLK_TYPE_FLUSH}));

    // A flush that fails is a write that failed; a write that failed is not flushed.
    program.flush_status = LKL_DEV_BLK_STATUS_IOERR;
    WaitRequest lost(BlockOp::write, 0, {iovec{data, sizeof(data)}});
    lost.durable = true;
    list[0] = &lost;
    backend->submit(list);
    EXPECT_EQ(lost.wait(), -LKL_EIO);
    program.types.clear();
    program.status = LKL_DEV_BLK_STATUS_IOERR;
    WaitRequest failed(BlockOp::write, 0, {iovec{data, sizeof(data)}});
    failed.durable = true;
    list[0] = &failed;
    backend->submit(list);
    EXPECT_EQ(failed.wait(), -LKL_EIO);
    EXPECT_EQ(program.asked(), std::vector<unsigned>{LKL_DEV_BLK_TYPE_WRITE});
}

TEST_P(CallbackDiskForms, InfoIsTakenOver)
{
    ops.get_info = get_info;
    program.info.read_only = 1;
    program.info.no_cache = 1;
    program.info.discard = 1;
    program.info.write_zeroes = 1;
    program.info.logical_block_size = 2048;
    program.info.physical_block_size = 4096;
    std::memcpy(program.info.serial, "12345678901234567890X", 21);  // not ended
    auto backend = make();
    const lkl::BlockInfo info = backend->info();
    EXPECT_TRUE(info.read_only);
    EXPECT_FALSE(info.flush);
    EXPECT_TRUE(info.discard);
    EXPECT_TRUE(info.write_zeroes);
    EXPECT_EQ(info.logical_block_size, 2048u);
    EXPECT_EQ(info.physical_block_size, 4096u);
    EXPECT_EQ(info.serial, "12345678901234567890");
    EXPECT_TRUE(program.asked().empty()) << "asked for a flush although there is get_info()";
}

TEST_P(CallbackDiskForms, WhatMakesNoSenseIsRefused)
{
    program.capacity_error = -LKL_ENOMEDIUM;
    EXPECT_EQ(error(), LKL_ENOMEDIUM);
    program.capacity_error = 0;
    ops.get_info = get_info;
    program.info_error = -LKL_ENODEV;
    EXPECT_EQ(error(), LKL_ENODEV);
    program.info_error = 0;
    for (const unsigned size : {1u, 256u, 1000u, 8192u}) {
        program.info.logical_block_size = size;
        EXPECT_EQ(error(), LKL_EINVAL) << size;
    }
    program.info.logical_block_size = 4096;
    program.bytes.resize(513 * 512);
    EXPECT_EQ(error(), LKL_EINVAL) << "half a block at the end";
    ops.get_capacity = nullptr;
    EXPECT_EQ(error(), LKL_EINVAL);
}

TEST_F(CallbackDisk, NeedsOneOfTheForms)
{
    ops.request = nullptr;
    EXPECT_EQ(error(), LKL_EINVAL);
}

TEST_F(CallbackDisk, ADiskThatKnowsNoFlushHasNoCache)
{
    EXPECT_TRUE(make()->info().flush);
    program.flush_status = LKL_DEV_BLK_STATUS_IOERR;
    EXPECT_TRUE(make()->info().flush) << "an error is no answer";
    program.flush_status = LKL_DEV_BLK_STATUS_UNSUP;
    auto backend = make();
    EXPECT_FALSE(backend->info().flush);

    program.types.clear();
    char data[512] = "x";
    WaitRequest write(BlockOp::write, 0, {iovec{data, sizeof(data)}});
    write.durable = true;
    lkl::BlockRequest* list[] = {&write};
    backend->submit(list);
    EXPECT_EQ(write.wait(), 0);
    EXPECT_EQ(program.asked(), std::vector<unsigned>{LKL_DEV_BLK_TYPE_WRITE});
}

TEST_F(CallbackDisk, RequestRunsOnAThreadOfTheDiskWithoutSignals)
{
    auto backend = make();
    char data[512];
    WaitRequest read(BlockOp::read, 0, {iovec{data, sizeof(data)}});
    lkl::BlockRequest* list[] = {&read};
    backend->submit(list);
    EXPECT_EQ(read.wait(), 0);
    EXPECT_FALSE(pthread_equal(program.caller, pthread_self()));
    EXPECT_TRUE(program.signals_blocked);
}

TEST_F(CallbackDisk, SubmitMayCompleteInAnyOrderFromAnyThread)
{
    ops.request = nullptr;
    ops.submit = submit;
    auto backend = make();
    program.hold = true;
    std::array<char, 512> memory[3] = {};
    WaitRequest a(BlockOp::write, 0, {iovec{&memory[0], 512}});
    WaitRequest b(BlockOp::write, 512, {iovec{&memory[1], 512}});
    WaitRequest c(BlockOp::write, 1024, {iovec{&memory[2], 512}});
    lkl::BlockRequest* list[] = {&a, &b, &c};
    backend->submit(list);
    ASSERT_EQ(program.held.size(), 3u);
    EXPECT_EQ(a.completions() + b.completions() + c.completions(), 0u);
    std::thread other([&] {
        lkl_blk_complete(program.held[2], LKL_DEV_BLK_STATUS_OK);
        lkl_blk_complete(program.held[0], LKL_DEV_BLK_STATUS_IOERR);
    });
    EXPECT_EQ(c.wait(), 0);
    EXPECT_EQ(a.wait(), -LKL_EIO);
    other.join();
    EXPECT_EQ(b.completions(), 0u);
    lkl_blk_complete(program.held[1], LKL_DEV_BLK_STATUS_OK);
    EXPECT_EQ(b.wait(), 0);
}

}  // namespace
