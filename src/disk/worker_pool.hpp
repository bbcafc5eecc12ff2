// SPDX-License-Identifier: GPL-2.0-only
// Threads that carry requests out by calls that block.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include <pthread.h>

#include <disk/host_file.hpp>
#include <disk/request_list.hpp>
#include <platform/posix/parker.hpp>

namespace lkl::disk {

// Thread safe. Threads are started when there is work that no thread is free for,
// at most `threads`, and end when they find none for thread_linger.
class WorkerPool {
public:
    // `writers`: how many threads write at the same time. `missed` gets the reads
    // that the host cannot answer out of its page cache, on a thread of the pool;
    // without it they are waited for.
    WorkerPool(HostFile& file, unsigned threads, unsigned writers,
               std::function<void(BlockRequest&)> missed = {});
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
        posix::Parker parker;
        bool idle = false;  // in the list below
        Worker* next_idle = nullptr;
    };
    using Lock = std::unique_lock<std::mutex>;

    BlockRequest* take() noexcept;
    bool can_take() const noexcept;
    Worker* claim() noexcept;
    bool start() noexcept;
    void work(Worker& self) noexcept;
    bool wait(Worker& self, Lock& lock) noexcept;
    void leave_idle(Worker& worker) noexcept;
    void execute(BlockRequest& request, Lock& lock, Worker* helper) noexcept;
    std::optional<int> run(BlockRequest& request) noexcept;

    HostFile& file_;
    const unsigned threads_;
    const unsigned writers_;
    const std::function<void(BlockRequest&)> missed_;

    std::mutex mutex_;
    RequestList writes_;
    RequestList others_;
    bool writes_next_ = false;  // take them in turn
    unsigned writing_ = 0;
    unsigned running_ = 0;
    Worker* idle_ = nullptr;  // those without work, the last one to become so first
    bool stop_ = false;
    std::unique_ptr<Worker[]> workers_;
};

}  // namespace lkl::disk
