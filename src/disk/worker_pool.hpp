// SPDX-License-Identifier: GPL-2.0-only
// Threads that carry requests out by calls that block.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <mutex>

#include <pthread.h>

#include <disk/host_file.hpp>
#include <disk/origin.hpp>
#include <disk/request_list.hpp>
#include <platform/posix/parker.hpp>

namespace lkl::disk {

// Thread safe. Threads are started when there is work that no thread is free for,
// at most `threads`, and end when they find none for thread_linger.
class WorkerPool {
public:
    // `writers`: how many threads write at the same time. `missed`: see copy().
    WorkerPool(HostFile& file, unsigned threads, unsigned writers,
               std::function<void(BlockRequest&)> missed = {});
    ~WorkerPool() { stop(); }
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    // Completes the requests sooner or later, on another thread. Only where the
    // host has no thread to give, the calling one does the work.
    void add(RequestList requests) noexcept;

    // The same for reads of data that the host may have in its page cache. `missed`
    // gets what is left of those of which it has not, on a thread of the pool; where
    // the calling thread does the work, it waits for the host instead.
    void copy(RequestList reads) noexcept;

    // Ends all threads of this process: a child of fork() has none of its parent's. Nothing
    // is in flight, and nothing is added any more.
    void stop() noexcept;

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

    enum Kind : uint8_t { write, cached_read, other };
    static constexpr unsigned kinds = 3;
    struct Work {
        BlockRequest* request = nullptr;
        Kind kind = other;
    };

    void share(Lock& lock) noexcept;
    Work take() noexcept;
    bool can_take(Kind kind) const noexcept;
    bool can_take() const noexcept;
    Worker* claim() noexcept;
    bool start() noexcept;
    void work(Worker& self) noexcept;
    bool wait(Worker& self, Lock& lock) noexcept;
    void leave_idle(Worker& worker) noexcept;
    void execute(Work work, Lock& lock, Worker* helper) noexcept;

    HostFile& file_;
    const unsigned threads_;
    const unsigned writers_;
    const std::function<void(BlockRequest&)> missed_;

    std::mutex mutex_;
    std::array<RequestList, kinds> waiting_;
    unsigned last_ = 0;  // the kind that was taken last: they take turns
    unsigned writing_ = 0;
    unsigned running_ = 0;
    Origin started_;          // where the threads are
    Worker* idle_ = nullptr;  // those without work, the last one to become so first
    bool stop_ = false;
    std::unique_ptr<Worker[]> workers_;
};

}  // namespace lkl::disk
