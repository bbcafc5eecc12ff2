// SPDX-License-Identifier: GPL-2.0-only
// Back ends that do what a test tells them, and requests that a test makes itself.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <sys/eventfd.h>
#include <unistd.h>

#include <lkl/block.hpp>

namespace lkl::test {

// A request whose end a test can wait for.
class WaitRequest final : public BlockRequest {
public:
    WaitRequest() = default;
    WaitRequest(BlockOp o, uint64_t at, uint64_t bytes)
    {
        op = o;
        offset = at;
        length = bytes;
    }
    WaitRequest(BlockOp o, uint64_t at, std::vector<iovec> to) : buffers(std::move(to))
    {
        op = o;
        offset = at;
        for (const iovec& buffer : buffers)
            length += buffer.iov_len;
        iov = buffers;
    }
    WaitRequest(const WaitRequest&) = delete;
    WaitRequest& operator=(const WaitRequest&) = delete;

    void complete(int value) noexcept override
    {
        const std::lock_guard lock(mutex_);
        result_ = value;
        ++completions_;
        done_.notify_all();
    }
    // How it ended; -ETIME after a minute.
    int wait()
    {
        std::unique_lock lock(mutex_);
        if (!done_.wait_for(lock, std::chrono::minutes(1), [this] { return completions_ > 0; }))
            return -ETIME;
        return result_;
    }
    bool done()
    {
        const std::lock_guard lock(mutex_);
        return completions_ > 0;
    }
    unsigned completions()
    {
        const std::lock_guard lock(mutex_);
        return completions_;
    }

    std::vector<iovec> buffers;

private:
    std::mutex mutex_;
    std::condition_variable done_;
    int result_ = 0;
    unsigned completions_ = 0;
};

inline int run(BlockBackend& disk, WaitRequest& request)
{
    BlockRequest* const one = &request;
    disk.submit({&one, 1});
    return request.wait();
}

inline int transfer(BlockBackend& disk, BlockOp op, uint64_t offset, void* data, size_t size)
{
    WaitRequest request(op, offset, {iovec{data, size}});
    return run(disk, request);
}

inline int command(BlockBackend& disk, BlockOp op, uint64_t offset = 0, uint64_t length = 0)
{
    WaitRequest request(op, offset, length);
    return run(disk, request);
}

// Keeps all requests until the test finishes them. With `polled`, they complete
// within reap(), announced by poll_fd(); else within finish().
class HeldDisk final : public BlockBackend {
public:
    explicit HeldDisk(BlockInfo info, bool polled = false) : info_(std::move(info))
    {
        if (polled)
            event_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    }
    ~HeldDisk() override
    {
        if (event_ >= 0)
            ::close(event_);
    }

    BlockInfo info() const override { return info_; }
    int poll_fd() const noexcept override { return event_; }

    void submit(std::span<BlockRequest* const> requests) noexcept override
    {
        const std::lock_guard lock(mutex_);
        batches_.push_back(requests.size());
        held_.insert(held_.end(), requests.begin(), requests.end());
        changed_.notify_all();
    }

    size_t reap() noexcept override
    {
        std::vector<std::pair<BlockRequest*, int>> finished;
        {
            const std::lock_guard lock(mutex_);
            finished.swap(finished_);
            eventfd_t value = 0;
            ::eventfd_read(event_, &value);
        }
        for (const auto& [request, result] : finished)
            request->complete(result);
        return finished.size();
    }

    size_t held()
    {
        const std::lock_guard lock(mutex_);
        return held_.size();
    }
    void wait_held(size_t count)
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return held_.size() >= count; });
    }
    std::vector<size_t> batches()
    {
        const std::lock_guard lock(mutex_);
        return batches_;
    }
    BlockRequest& request(size_t index)
    {
        const std::lock_guard lock(mutex_);
        return *held_.at(index);
    }

    // Ends the request at this place of those that are held.
    void finish(size_t index, int result)
    {
        std::unique_lock lock(mutex_);
        BlockRequest* const request = held_.at(index);
        held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(index));
        if (event_ >= 0) {
            finished_.emplace_back(request, result);
            ::eventfd_write(event_, 1);
            return;
        }
        lock.unlock();
        request->complete(result);
    }

private:
    const BlockInfo info_;
    int event_ = -1;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<size_t> batches_;
    std::vector<BlockRequest*> held_;
    std::vector<std::pair<BlockRequest*, int>> finished_;
};

// Passes requests on, but for those that the test's function answers itself.
class InjectDisk final : public BlockBackend {
public:
    // Called once for each request, in order. A value: complete it with that.
    using Inject = std::function<std::optional<int>(const BlockRequest&)>;

    InjectDisk(std::unique_ptr<BlockBackend> base, Inject inject)
        : base_(std::move(base)), inject_(std::move(inject))
    {
    }

    BlockInfo info() const override { return base_->info(); }
    int poll_fd() const noexcept override { return base_->poll_fd(); }
    size_t reap() noexcept override { return base_->reap(); }
    void submit(std::span<BlockRequest* const> requests) noexcept override
    {
        for (BlockRequest* request : requests) {
            if (const auto result = inject_(*request))
                request->complete(*result);
            else
                base_->submit({&request, 1});
        }
    }

private:
    std::unique_ptr<BlockBackend> base_;
    Inject inject_;
};

}  // namespace lkl::test
