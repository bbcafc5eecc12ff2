// SPDX-License-Identifier: GPL-2.0-only
#include "capi/callback_disk.hpp"

#include <algorithm>
#include <bit>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <new>
#include <string>

#include <pthread.h>

#include <lkl/asm/errno.h>

#include "disk/request_list.hpp"
#include "disk/thread.hpp"

namespace lkl::capi {

namespace {

constexpr uint64_t sector_size = 512;

class AsyncDisk;

// What submit() is given, and what is needed to find back.
struct AsyncRequest {
    lkl_blk_req request;  // first: lkl_blk_complete() gets its address
    BlockRequest* block;
    AsyncDisk* disk;
    AsyncRequest* next;
};

unsigned type_of(BlockOp op)
{
    switch (op) {
    case BlockOp::read:
        return LKL_DEV_BLK_TYPE_READ;
    case BlockOp::write:
        return LKL_DEV_BLK_TYPE_WRITE;
    case BlockOp::flush:
        return LKL_DEV_BLK_TYPE_FLUSH;
    case BlockOp::discard:
        return LKL_DEV_BLK_TYPE_DISCARD;
    case BlockOp::write_zeroes:
        return LKL_DEV_BLK_TYPE_WRITE_ZEROES;
    }
    return ~0u;
}

lkl_blk_req flush_request()
{
    lkl_blk_req request{};
    request.type = LKL_DEV_BLK_TYPE_FLUSH;
    return request;
}

lkl_blk_req translate(const BlockRequest& block)
{
    lkl_blk_req request{};
    request.type = type_of(block.op);
    request.sector = block.offset / sector_size;
    request.sectors = block.length / sector_size;
    request.buf = block.iov.data();
    request.count = static_cast<int>(block.iov.size());
    return request;
}

int result_of(int status)
{
    switch (status) {
    case LKL_DEV_BLK_STATUS_OK:
        return 0;
    case LKL_DEV_BLK_STATUS_UNSUP:
        return -LKL_EOPNOTSUPP;
    default:
        return -LKL_EIO;
    }
}

// A write is only durable after a flush, which functions without a notion of
// durability have to be asked for.
bool needs_flush(const BlockRequest& block, const BlockInfo& info)
{
    return block.durable && info.flush && block.op != BlockOp::flush;
}

// request(): one thread that may block does everything in turn.
class SyncDisk final : public BlockBackend {
public:
    SyncDisk(const lkl_disk& disk, BlockInfo info) : disk_(disk), info_(std::move(info)) {}

    ~SyncDisk() override
    {
        if (!started_)
            return;
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
            wake_.notify_one();
        }
        pthread_join(thread_, nullptr);
    }

    int start()
    {
        const int error = disk::start_thread(
            thread_,
            [](void* argument) -> void* {
                static_cast<SyncDisk*>(argument)->work();
                return nullptr;
            },
            this);
        started_ = error == 0;
        return error;
    }

    BlockInfo info() const override { return info_; }

    void submit(std::span<BlockRequest* const> requests) noexcept override
    {
        const std::lock_guard lock(mutex_);
        for (BlockRequest* const request : requests)
            pending_.push(*request);
        wake_.notify_one();
    }

private:
    void work() noexcept
    {
        std::unique_lock lock(mutex_);
        for (;;) {
            wake_.wait(lock, [this] { return stop_ || !pending_.empty(); });
            BlockRequest* const block = pending_.pop();
            if (block == nullptr)
                return;
            lock.unlock();
            block->complete(run(*block));
            lock.lock();
        }
    }

    int run(const BlockRequest& block) const
    {
        lkl_blk_req request = translate(block);
        int result = result_of(disk_.ops->request(disk_, &request));
        if (result == 0 && needs_flush(block, info_)) {
            lkl_blk_req flush = flush_request();
            result = result_of(disk_.ops->request(disk_, &flush));
        }
        return result;
    }

    const lkl_disk disk_;
    const BlockInfo info_;
    pthread_t thread_{};
    bool started_ = false;

    std::mutex mutex_;
    std::condition_variable wake_;
    disk::RequestList pending_;
    bool stop_ = false;
};

// submit(): no thread of ours.
class AsyncDisk final : public BlockBackend {
public:
    AsyncDisk(const lkl_disk& disk, BlockInfo info) : disk_(disk), info_(std::move(info)) {}

    ~AsyncDisk() override
    {
        while (free_ != nullptr) {
            AsyncRequest* const next = free_->next;
            delete free_;
            free_ = next;
        }
    }

    BlockInfo info() const override { return info_; }

    void submit(std::span<BlockRequest* const> requests) noexcept override
    {
        for (BlockRequest* const block : requests) {
            AsyncRequest* const request = take();
            if (request == nullptr) {
                block->complete(-LKL_ENOMEM);
                continue;
            }
            *request = {translate(*block), block, this, nullptr};
            disk_.ops->submit(disk_, &request->request);
        }
    }

    void complete(AsyncRequest& request, int status) noexcept
    {
        BlockRequest& block = *request.block;
        const bool was_flush = request.request.type == LKL_DEV_BLK_TYPE_FLUSH;
        if (status == LKL_DEV_BLK_STATUS_OK && !was_flush && needs_flush(block, info_)) {
            request.request = flush_request();
            disk_.ops->submit(disk_, &request.request);
            return;
        }
        give_back(request);
        block.complete(result_of(status));
    }

private:
    // Requests are kept, so that the kernel waits for an allocation only while
    // there are more of them in flight than ever before.
    AsyncRequest* take() noexcept
    {
        {
            const std::lock_guard lock(mutex_);
            if (free_ != nullptr) {
                AsyncRequest* const request = free_;
                free_ = request->next;
                return request;
            }
        }
        return new (std::nothrow) AsyncRequest;
    }

    void give_back(AsyncRequest& request) noexcept
    {
        const std::lock_guard lock(mutex_);
        request.next = free_;
        free_ = &request;
    }

    const lkl_disk disk_;
    const BlockInfo info_;
    std::mutex mutex_;
    AsyncRequest* free_ = nullptr;
};

// What the functions say of the disk.
Result<BlockInfo> ask(const lkl_disk& disk)
{
    const lkl_dev_blk_ops& ops = *disk.ops;
    unsigned long long capacity = 0;
    if (const int error = ops.get_capacity(disk, &capacity); error != 0)
        return Error{error < 0 ? -error : LKL_EIO, "add disk: get_capacity() failed"};

    BlockInfo info;
    info.capacity = capacity / sector_size * sector_size;
    if (ops.get_info == nullptr) {
        // Whether there is a cache to be flushed, only an attempt can tell, and
        // only where its end can be waited for.
        if (ops.submit == nullptr) {
            lkl_blk_req flush = flush_request();
            info.flush = ops.request(disk, &flush) != LKL_DEV_BLK_STATUS_UNSUP;
        }
        return info;
    }

    lkl_blk_info answer{};
    answer.size = sizeof(answer);
    if (const int error = ops.get_info(disk, &answer); error != 0)
        return Error{error < 0 ? -error : LKL_EIO, "add disk: get_info() failed"};
    if (answer.logical_block_size == 0)
        answer.logical_block_size = sector_size;
    if (answer.logical_block_size < sector_size || answer.logical_block_size > 4096 ||
        !std::has_single_bit(answer.logical_block_size) ||
        info.capacity % answer.logical_block_size != 0)
        return Error{LKL_EINVAL, "add disk: the block size does not fit"};
    info.logical_block_size = answer.logical_block_size;
    info.physical_block_size = answer.physical_block_size;
    info.read_only = answer.read_only != 0;
    info.flush = answer.no_cache == 0;
    info.discard = answer.discard != 0;
    info.write_zeroes = answer.write_zeroes != 0;
    info.serial.assign(answer.serial, strnlen(answer.serial, sizeof(answer.serial) - 1));
    return info;
}

}  // namespace

Result<std::unique_ptr<BlockBackend>> make_callback_disk(const lkl_disk& disk)
{
    const lkl_dev_blk_ops& ops = *disk.ops;
    if (ops.get_capacity == nullptr || (ops.request == nullptr && ops.submit == nullptr))
        return Error{LKL_EINVAL, "add disk: get_capacity(), and request() or submit(), are needed"};
    auto info = ask(disk);
    if (!info)
        return std::move(info).error();
    if (ops.submit != nullptr)
        return std::unique_ptr<BlockBackend>(std::make_unique<AsyncDisk>(disk, *std::move(info)));
    auto backend = std::make_unique<SyncDisk>(disk, *std::move(info));
    if (const int error = backend->start(); error != 0)
        return Error{error, "add disk: no thread for its functions"};
    return std::unique_ptr<BlockBackend>(std::move(backend));
}

}  // namespace lkl::capi

extern "C" void lkl_blk_complete(struct lkl_blk_req* req, int status)
{
    if (req == nullptr)
        return;
    auto* const request = reinterpret_cast<lkl::capi::AsyncRequest*>(req);
    request->disk->complete(*request, status);
}
