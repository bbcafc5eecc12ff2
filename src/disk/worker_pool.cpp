// SPDX-License-Identifier: GPL-2.0-only
#include <disk/worker_pool.hpp>

#include <utility>

#include <disk/thread.hpp>
#include <platform/posix/clock.hpp>

namespace lkl::disk {

namespace {

// The one message to a worker: look for work.
constexpr uint32_t get_up = 1;

}  // namespace

WorkerPool::WorkerPool(HostFile& file, unsigned threads, unsigned writers,
                       std::function<void(BlockRequest&)> missed)
    : file_(file),
      threads_(threads),
      writers_(writers),
      missed_(std::move(missed)),
      workers_(new Worker[threads])
{
}

WorkerPool::~WorkerPool()
{
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    // Workers change their state under the lock and touch nothing afterwards; the
    // array itself is changed by nobody any more.
    for (unsigned i = 0; i < threads_; ++i) {
        if (!workers_[i].pool)
            continue;
        workers_[i].parker.post(get_up);
        pthread_join(workers_[i].thread, nullptr);
    }
}

void WorkerPool::add(RequestList requests) noexcept
{
    Lock lock(mutex_);
    while (BlockRequest* const request = requests.pop())
        (request->op == BlockOp::write ? writes_ : others_).push(*request);
    // One thread is enough for a start: each one that finds more work than its own
    // calls the next. That keeps wake-ups off the caller.
    if (!can_take())
        return;
    if (Worker* const worker = claim()) {
        lock.unlock();  // which the worker wants at once
        worker->parker.post(get_up);
        return;
    }
    if (start() || running_ > 0)
        return;
    // Nobody else is there to wait for the host.
    while (BlockRequest* const request = take()) {
        if (request->op == BlockOp::write)
            --writing_;
        lock.unlock();
        request->complete(file_.run(*request));
        lock.lock();
    }
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

// An idle worker, for the caller to send a message to when it has released the
// lock; null: all are busy. Should the worker have found out for itself by then, the
// message makes it look in vain, no more.
WorkerPool::Worker* WorkerPool::claim() noexcept
{
    Worker* const worker = idle_;
    if (worker)
        leave_idle(*worker);
    return worker;
}

// False: there are as many as there may be, or the host has none to give.
bool WorkerPool::start() noexcept
{
    for (unsigned i = 0; i < threads_ && running_ < threads_; ++i) {
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
    Lock lock(mutex_);
    for (;;) {
        if (BlockRequest* const request = take()) {
            Worker* helper = nullptr;
            if (can_take() && !(helper = claim()))
                start();
            execute(*request, lock, helper);
        } else if (stop_ || !wait(self, lock)) {
            break;
        }
    }
    --running_;
    self.state = State::finished;
}

// False: nobody called for thread_linger.
bool WorkerPool::wait(Worker& self, Lock& lock) noexcept
{
    self.idle = true;
    self.next_idle = idle_;
    idle_ = &self;
    const uint64_t until = posix::monotonic_now() + std::chrono::nanoseconds(thread_linger).count();
    uint32_t message = 0;
    do {
        lock.unlock();
        message = self.parker.wait(until);
        lock.lock();
        if (!self.idle)
            return true;
    } while (message && !stop_);
    leave_idle(self);
    return false;
}

void WorkerPool::leave_idle(Worker& worker) noexcept
{
    Worker** place = &idle_;
    while (*place != &worker)
        place = &(*place)->next_idle;
    *place = worker.next_idle;
    worker.idle = false;
}

void WorkerPool::execute(BlockRequest& request, Lock& lock, Worker* helper) noexcept
{
    const bool write = request.op == BlockOp::write;
    lock.unlock();
    if (helper)
        helper->parker.post(get_up);
    const auto result = run(request);
    if (write) {
        // Before the completion: whoever submits the next write in answer to it
        // must find the place free.
        lock.lock();
        --writing_;
        lock.unlock();
    }
    if (result)
        request.complete(*result);
    else
        missed_(request);
    lock.lock();
}

std::optional<int> WorkerPool::run(BlockRequest& request) noexcept
{
    if (missed_ && request.op == BlockOp::read)
        return file_.run_now(request);
    return file_.run(request);
}

}  // namespace lkl::disk
