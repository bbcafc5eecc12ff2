// SPDX-License-Identifier: GPL-2.0-only
#include "common/tar/output_stream.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace tools {

void OutputStream::Free::operator()(std::byte* memory) const
{
    std::free(memory);
}

OutputStream::OutputStream(std::unique_ptr<ByteSink> sink) : sink_(std::move(sink))
{
    for (size_t i = 0; i < buffer_count; i++) {
        Memory memory(static_cast<std::byte*>(std::aligned_alloc(alignment, buffer_size)));
        if (!memory)
            throw std::bad_alloc();
        free_.push_back({std::move(memory), 0});
    }
    current_ = std::move(free_.back());
    free_.pop_back();
    thread_ = std::thread([this] { run(); });
}

OutputStream::~OutputStream()
{
    stop();
}

void OutputStream::stop()
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

std::span<std::byte> OutputStream::space()
{
    if (current_.filled == buffer_size)
        hand_over();
    return {current_.memory.get() + current_.filled, buffer_size - current_.filled};
}

void OutputStream::commit(size_t count)
{
    current_.filled += count;
    position_ += count;
}

void OutputStream::write(std::span<const std::byte> data)
{
    while (!data.empty()) {
        const auto room = space();
        const size_t count = std::min(room.size(), data.size());
        std::memcpy(room.data(), data.data(), count);
        commit(count);
        data = data.subspan(count);
    }
}

void OutputStream::write_zeros(size_t count)
{
    while (count > 0) {
        const auto room = space();
        const size_t part = std::min(room.size(), count);
        std::memset(room.data(), 0, part);
        commit(part);
        count -= part;
    }
}

void OutputStream::align()
{
    if (current_.filled > 0)
        hand_over();
}

// Gives the current buffer to the thread, and waits for an empty one.
void OutputStream::hand_over()
{
    std::unique_lock guard(lock_);
    full_.push_back(std::move(current_));
    changed_.notify_all();
    changed_.wait(guard, [this] { return !free_.empty() || failure_; });
    if (failure_) {
        current_.filled = buffer_size;  // no room: the next call ends here again
        std::rethrow_exception(failure_);
    }
    current_ = std::move(free_.back());
    free_.pop_back();
    current_.filled = 0;
}

void OutputStream::finish()
{
    {
        const std::lock_guard guard(lock_);
        full_.push_back(std::move(current_));
        closing_ = true;
    }
    changed_.notify_all();
    thread_.join();
    if (failure_)
        std::rethrow_exception(failure_);
}

void OutputStream::run()
{
    std::unique_lock guard(lock_);
    try {
        for (;;) {
            changed_.wait(guard, [this] { return !full_.empty() || closing_; });
            if (aborted_)
                return;
            if (full_.empty())
                break;
            Buffer buffer = std::move(full_.front());
            full_.pop_front();
            guard.unlock();
            sink_->write({buffer.memory.get(), buffer.filled});
            guard.lock();
            free_.push_back(std::move(buffer));
            changed_.notify_all();
        }
        sink_->close();
    } catch (...) {
        if (!guard.owns_lock())
            guard.lock();
        failure_ = std::current_exception();
        changed_.notify_all();
    }
}

}  // namespace tools
