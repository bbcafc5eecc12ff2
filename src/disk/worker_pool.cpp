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

void WorkerPool::stop() noexcept
{
    if (!started_.is_here())
        return;
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    // Workers change their state under the lock and touch nothing afterwards; the
    // array itself is changed by nobody any more.
    for (unsigned i = 0; i < threads_; ++i) {
        Worker& worker = workers_[i];
        if (!worker.pool)
            continue;
        worker.parker.post(get_up);
        pthread_join(worker.thread, nullptr);
        worker.pool = nullptr;
    }
}

void WorkerPool::add(RequestList requests) noexcept
{
    Lock lock(mutex_);
    while (BlockRequest* const request = requests.pop())
        waiting_[request->op == BlockOp::write ? write : other].push(*request);
    share(lock);
}

void WorkerPool::copy(RequestList reads) noexcept
{
    Lock lock(mutex_);
    waiting_[cached_read].append(reads);
    share(lock);
}

// Sees to it that what is waiting is done.
void WorkerPool::share(Lock& lock) noexcept
{
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
    while (can_take()) {
        Work work = take();
        if (work.kind == cached_read)
            work.kind = other;
        execute(work, lock, nullptr);
    }
}

bool WorkerPool::can_take(Kind kind) const noexcept
{
    return !waiting_[kind].empty() && (kind != write || writing_ < writers_);
}

bool WorkerPool::can_take() const noexcept
{
    return can_take(write) || can_take(cached_read) || can_take(other);
}

WorkerPool::Work WorkerPool::take() noexcept
{
    for (unsigned i = 0; i < kinds; ++i) {
        last_ = (last_ + 1) % kinds;
        const Kind kind{static_cast<uint8_t>(last_)};
        if (!can_take(kind))
            continue;
        writing_ += kind == write;
        return {waiting_[kind].pop(), kind};
    }
    return {};
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
        started_ = Origin();
        ++running_;
        return true;
    }
    return false;
}

void WorkerPool::work(Worker& self) noexcept
{
    Lock lock(mutex_);
    for (;;) {
        if (const Work work = take(); work.request) {
            Worker* helper = nullptr;
            if (can_take() && !(helper = claim()))
                start();
            execute(work, lock, helper);
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

void WorkerPool::execute(Work work, Lock& lock, Worker* helper) noexcept
{
    lock.unlock();
    if (helper)
        helper->parker.post(get_up);
    BlockRequest& request = *work.request;
    const std::optional<int> result =
        work.kind == cached_read ? file_.run_now(request) : file_.run(request);
    if (work.kind == write) {
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

}  // namespace lkl::disk
