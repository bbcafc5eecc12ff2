// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/entry_pipe.hpp"

#include <new>
#include <utility>

namespace tools {

EntryPipe::EntryPipe(EntryConsumer& consumer) : consumer_(consumer)
{
    for (size_t i = 0; i < batch_count; i++) {
        Batch batch;
        batch.buffer.reset(static_cast<std::byte*>(std::aligned_alloc(alignment, buffer_size)));
        if (!batch.buffer)
            throw std::bad_alloc();
        batch.steps.reserve(max_steps);
        free_.push_back(std::move(batch));
    }
    current_ = std::move(free_.back());
    free_.pop_back();
    thread_ = std::thread([this] { run(); });
}

EntryPipe::~EntryPipe()
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

void EntryPipe::add(Step step)
{
    current_.steps.push_back(step);
    if (current_.steps.size() >= max_steps)
        hand_over();
}

void EntryPipe::begin(const Entry& entry)
{
    if (current_.entry_count == current_.entries.size())
        current_.entries.emplace_back();
    current_.entries[current_.entry_count] = entry;
    add({Step::Kind::begin, current_.entry_count++, 0, 0, 0});
}

void EntryPipe::abandon()
{
    add({Step::Kind::abandon, 0, 0, 0, 0});
}

void EntryPipe::end()
{
    add({Step::Kind::end, 0, 0, 0, 0});
}

std::span<std::byte> EntryPipe::space()
{
    if (current_.filled == buffer_size)
        hand_over();
    return {current_.buffer.get() + current_.filled, buffer_size - current_.filled};
}

void EntryPipe::data(uint64_t offset, size_t count)
{
    const size_t start = current_.filled;
    current_.filled += count;
    // Parts that follow each other in the file and in the buffer are one write.
    if (!current_.steps.empty()) {
        Step& last = current_.steps.back();
        if (last.kind == Step::Kind::data && last.offset + last.count == offset) {
            last.count += count;
            return;
        }
    }
    add({Step::Kind::data, 0, offset, start, count});
}

void EntryPipe::align()
{
    if (current_.filled > 0)
        hand_over();
}

// Gives the current batch to the thread, and waits for an empty one.
void EntryPipe::hand_over()
{
    std::unique_lock guard(lock_);
    if (!failure_)
        full_.push_back(std::move(current_));
    changed_.notify_all();
    changed_.wait(guard, [this] { return !free_.empty() || failure_; });
    if (failure_)
        std::rethrow_exception(failure_);
    current_ = std::move(free_.back());
    free_.pop_back();
}

void EntryPipe::finish()
{
    {
        const std::lock_guard guard(lock_);
        if (!failure_)
            full_.push_back(std::move(current_));
        closing_ = true;
    }
    changed_.notify_all();
    thread_.join();
    if (failure_)
        std::rethrow_exception(failure_);
}

void EntryPipe::consume(Batch& batch)
{
    for (const Step& step : batch.steps) {
        switch (step.kind) {
        case Step::Kind::begin:
            consumer_.begin(batch.entries[step.entry]);
            break;
        case Step::Kind::data:
            consumer_.data(step.offset, {batch.buffer.get() + step.start, step.count});
            break;
        case Step::Kind::abandon:
            consumer_.abandon();
            break;
        case Step::Kind::end:
            consumer_.end();
            break;
        }
    }
    batch.filled = 0;
    batch.steps.clear();
    batch.entry_count = 0;
}

void EntryPipe::run()
{
    if (consume_all())
        return;
    // What was made up to here is finished all the same.
    try {
        consumer_.finish();
    } catch (...) {
        // The first failure is the one that is told.
    }
}

// False when not everything was consumed.
bool EntryPipe::consume_all()
{
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
            consume(batch);
            guard.lock();
            free_.push_back(std::move(batch));
            changed_.notify_all();
        }
        guard.unlock();
        consumer_.finish();
        return true;
    } catch (...) {
        if (!guard.owns_lock())
            guard.lock();
        failure_ = std::current_exception();
        changed_.notify_all();
        return false;
    }
}

}  // namespace tools
