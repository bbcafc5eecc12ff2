// SPDX-License-Identifier: GPL-2.0-only
#include <disk/worker_pool.hpp>

#include <disk/thread.hpp>

namespace lkl::disk {

WorkerPool::WorkerPool(HostFile& file, unsigned threads, unsigned writers)
    : file_(file), threads_(threads), writers_(writers), workers_(new Worker[threads])
{
}

WorkerPool::~WorkerPool()
{
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
        wake_.notify_all();
    }
    // Workers change their state under the lock and touch nothing afterwards; the
    // array itself is changed by nobody any more.
    for (unsigned i = 0; i < threads_; ++i)
        if (workers_[i].pool)
            pthread_join(workers_[i].thread, nullptr);
}

void WorkerPool::add(RequestList requests) noexcept
{
    std::unique_lock lock(mutex_);
    while (BlockRequest* const request = requests.pop())
        (request->op == BlockOp::write ? writes_ : others_).push(*request);
    // One thread is enough for a start: each one that finds more work than its own
    // wakes the next. That keeps wake-ups off the caller.
    if (!can_take() || wake() || running_ > 0)
        return;
    while (BlockRequest* const request = take())
        execute(*request, lock);
}

bool WorkerPool::can_take() const noexcept
{
    return !others_.empty() || (!writes_.empty() && writing_ < writers_);
}

BlockRequest* WorkerPool::take() noexcept
{
    const bool may_write = !writes_.empty() && writing_ < writers_;
    BlockRequest* request = nullptr;
    if (may_write && (writes_next_ || others_.empty())) {
        request = writes_.pop();
        ++writing_;
    } else {
        request = others_.pop();
    }
    writes_next_ = !writes_next_;
    return request;
}

// False: no thread could be had, busy ones have to do.
bool WorkerPool::wake() noexcept
{
    if (idle_ == 0)
        return running_ < threads_ && start();
    --idle_;
    ++claims_;
    wake_.notify_one();
    return true;
}

bool WorkerPool::start() noexcept
{
    for (unsigned i = 0; i < threads_; ++i) {
        Worker& worker = workers_[i];
        if (worker.state == State::running)
            continue;
        if (worker.state == State::finished)
            pthread_join(worker.thread, nullptr);
        worker.pool = this;
        worker.state = State::running;
        const auto function = [](void* argument) -> void* {
            Worker& self = *static_cast<Worker*>(argument);
            self.pool->work(self);
            return nullptr;
        };
        if (start_thread(worker.thread, function, &worker) != 0) {
            worker.pool = nullptr;
            worker.state = State::unused;
            return false;
        }
        ++running_;
        return true;
    }
    return false;
}

void WorkerPool::work(Worker& self) noexcept
{
    std::unique_lock lock(mutex_);
    for (;;) {
        if (BlockRequest* const request = take()) {
            if (can_take())
                wake();
            execute(*request, lock);
            continue;
        }
        if (stop_)
            break;
        ++idle_;
        wake_.wait_for(lock, thread_linger, [this] { return claims_ > 0 || stop_; });
        if (claims_ > 0) {
            --claims_;
        } else {
            --idle_;
            break;
        }
    }
    --running_;
    self.state = State::finished;
}

void WorkerPool::execute(BlockRequest& request, std::unique_lock<std::mutex>& lock) noexcept
{
    const bool write = request.op == BlockOp::write;
    lock.unlock();
    const int result = file_.run(request);
    if (write) {
        // Before the completion: whoever submits the next write in answer to it
        // must find the place free.
        lock.lock();
        --writing_;
        lock.unlock();
    }
    request.complete(result);
    lock.lock();
}

}  // namespace lkl::disk
