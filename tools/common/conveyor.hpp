// SPDX-License-Identifier: GPL-2.0-only
// Batches that go round between two threads: one fills them, one of the conveyor's
// own empties them in the same order, so that both have something to do.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#include <vector>

namespace tools {

struct FreeMemory {
    void operator()(std::byte* memory) const { std::free(memory); }
};
using PageMemory = std::unique_ptr<std::byte, FreeMemory>;

// Memory that begins with a page, as large copies like it. size: bytes, a multiple of
// the page's. Throws std::bad_alloc.
inline PageMemory allocate_pages(size_t size)
{
    constexpr size_t page = 4096;
    PageMemory memory(static_cast<std::byte*>(std::aligned_alloc(page, size)));
    if (!memory)
        throw std::bad_alloc();
    return memory;
}

// All functions belong to the thread that fills.
template <typename Batch>
class Conveyor {
public:
    // Called by the conveyor's thread. consume(batch) leaves it empty. end(complete)
    // is its last call in any case; complete: finish() was called and all batches are
    // consumed. What either throws is thrown to the thread that fills, but for
    // end(false).
    Conveyor(std::vector<Batch> empty, std::function<void(Batch&)> consume,
             std::function<void(bool complete)> end)
        : consume_(std::move(consume)), end_(std::move(end)), empty_(std::move(empty))
    {
        count_ = empty_.size();
        take_empty();
        thread_ = std::thread([this] { run(); });
    }
    Conveyor(const Conveyor&) = delete;
    Conveyor& operator=(const Conveyor&) = delete;
    // Without finish() before: what is not consumed is dropped.
    ~Conveyor()
    {
        if (!thread_.joinable())
            return;
        {
            const std::lock_guard guard(lock_);
            closing_ = aborted_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }

    // From now on, called by the thread that fills each time that it has waited for so long
    // for the other one. Without it nothing wakes it up meanwhile.
    void call_while_waiting(std::chrono::milliseconds interval, std::function<void()> function)
    {
        interval_ = interval;
        waiting_ = std::move(function);
    }

    // The batch to fill.
    Batch& current() { return current_; }

    // Gives the current batch away and waits for an empty one. Throws what the other
    // thread threw, now or before; the current batch is of no use then.
    void hand_over()
    {
        std::unique_lock guard(lock_);
        full_.push_back(std::move(current_));
        changed_.notify_all();
        wait(guard, [this] { return !empty_.empty() || failure_; });
        if (failure_)
            std::rethrow_exception(failure_);
        take_empty();
    }

    // Gives the current batch away and waits until all are consumed. Throws as hand_over().
    void empty_all()
    {
        std::unique_lock guard(lock_);
        full_.push_back(std::move(current_));
        changed_.notify_all();
        wait(guard, [this] { return empty_.size() == count_ || failure_; });
        if (failure_)
            std::rethrow_exception(failure_);
        take_empty();
    }

    // Gives the last batch away and waits until all is over. Throws as hand_over().
    void finish()
    {
        {
            std::unique_lock guard(lock_);
            full_.push_back(std::move(current_));
            closing_ = true;
            changed_.notify_all();
            wait(guard, [this] { return over_; });
        }
        thread_.join();
        if (failure_)
            std::rethrow_exception(failure_);
    }

private:
    void take_empty()
    {
        current_ = std::move(empty_.back());
        empty_.pop_back();
    }

    template <typename Condition>
    void wait(std::unique_lock<std::mutex>& guard, Condition condition)
    {
        if (!waiting_)
            return changed_.wait(guard, condition);
        while (!changed_.wait_for(guard, interval_, condition)) {
            guard.unlock();
            waiting_();
            guard.lock();
        }
    }

    void run()
    {
        if (!consume_all()) {
            try {
                end_(false);
            } catch (...) {
                // The first failure is the one that is told.
            }
        }
        const std::lock_guard guard(lock_);
        over_ = true;
        changed_.notify_all();
    }

    // Whether end(true) was called, with whatever success.
    bool consume_all()
    {
        bool ending = false;
        std::unique_lock guard(lock_);
        try {
            for (;;) {
                changed_.wait(guard, [this] { return !full_.empty() || closing_; });
                if (aborted_)
                    return false;
                if (full_.empty())
                    break;
                Batch batch = std::move(full_.front());
                full_.pop_front();
                guard.unlock();
                consume_(batch);
                guard.lock();
                empty_.push_back(std::move(batch));
                changed_.notify_all();
            }
            guard.unlock();
            ending = true;
            end_(true);
        } catch (...) {
            if (!guard.owns_lock())
                guard.lock();
            failure_ = std::current_exception();
            changed_.notify_all();
        }
        return ending;
    }

    const std::function<void(Batch&)> consume_;
    const std::function<void(bool)> end_;
    Batch current_;  // the thread's that fills, as the next three
    size_t count_;   // of batches
    std::chrono::milliseconds interval_{};
    std::function<void()> waiting_;

    std::mutex lock_;
    std::condition_variable changed_;
    std::deque<Batch> full_;
    std::vector<Batch> empty_;
    bool closing_ = false;  // no more batches come
    bool aborted_ = false;  // do not consume what is left
    bool over_ = false;     // the thread is about to end
    std::exception_ptr failure_;
    std::thread thread_;
};

}  // namespace tools
