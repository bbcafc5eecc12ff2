// SPDX-License-Identifier: GPL-2.0-only
// Threads that carry requests out by calls that block.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include <pthread.h>

#include <disk/host_file.hpp>
#include <disk/request_list.hpp>

namespace lkl::disk {

// Thread safe. Threads are started when there is work that no thread is free for,
// at most `threads`, and end when they find none for thread_linger.
class WorkerPool {
public:
    // `writers`: how many threads write at the same time.
    WorkerPool(HostFile& file, unsigned threads, unsigned writers);
    // Nothing is in flight any more.
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    // Completes the requests sooner or later, on another thread. Only where the
    // host has no thread to give, the calling one does the work.
    void add(RequestList requests) noexcept;

private:
    enum class State : uint8_t { unused, running, finished };
    struct Worker {
        WorkerPool* pool = nullptr;
        pthread_t thread{};
        State state = State::unused;
    };

    BlockRequest* take() noexcept;
    bool can_take() const noexcept;
    bool wake() noexcept;
    bool start() noexcept;
    void work(Worker& self) noexcept;
    void execute(BlockRequest& request, std::unique_lock<std::mutex>& lock) noexcept;

    HostFile& file_;
    const unsigned threads_;
    const unsigned writers_;

    std::mutex mutex_;
    std::condition_variable wake_;
    RequestList writes_;
    RequestList others_;
    bool writes_next_ = false;  // take them in turn
    unsigned writing_ = 0;
    unsigned running_ = 0;
    unsigned idle_ = 0;    // waiting, and not yet called by claims_
    unsigned claims_ = 0;  // how many of the waiting ones are to get up
    bool stop_ = false;
    std::unique_ptr<Worker[]> workers_;
};

}  // namespace lkl::disk
