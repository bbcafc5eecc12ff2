// SPDX-License-Identifier: GPL-2.0-only
#include <core/threads.hpp>

#include <algorithm>
#include <map>
#include <new>
#include <utility>

#include <pthread.h>
#include <unistd.h>

namespace lkl {

namespace {

// The kernels that exist. A thread that ends looks its kernels up here: one of
// them may be gone by then. Never destroyed, since threads may end after main().
struct Registry {
    std::mutex mutex;
    std::map<uint64_t, Threads*> kernels;
    uint64_t next = 1;
    // Whose they are: a child of a call that runs no handlers, as _Fork(3), has none.
    pid_t process = ::getpid();
};

Registry& registry()
{
    static Registry* const instance = new Registry;
    return *instance;
}

}  // namespace

constinit thread_local Threads::Last Threads::last_{};

namespace {

// Set when the calling thread has given back what it had. Calls that it makes after
// that, from destructors of other variables, get a HostThread that stays until its
// kernel ends.
thread_local bool gave_back = false;

}  // namespace

// What the calling thread has to give back when it ends.
struct ThreadExit {
    std::vector<std::pair<uint64_t, HostThread*>> entries;

    ~ThreadExit()
    {
        gave_back = true;
        Threads::last_ = {};
        if (registry().process != ::getpid())
            return;
        for (const auto& [owner, thread] : entries) {
            // With the lock, so that the kernel cannot go away meanwhile.
            std::lock_guard lock(registry().mutex);
            const auto found = registry().kernels.find(owner);
            if (found != registry().kernels.end())
                found->second->retire(thread);
        }
    }
};

namespace {
thread_local ThreadExit thread_exit;
}

Threads::Threads(Vcpu& vcpu)
    : id_([this] {
          std::lock_guard lock(registry().mutex);
          registry().kernels.emplace(registry().next, this);
          return registry().next++;
      }()),
      vcpu_(vcpu)
{
}

Threads::~Threads()
{
    {
        std::lock_guard lock(registry().mutex);
        registry().kernels.erase(id_);
    }
    for (HostThread* thread : all_)
        delete thread;
}

HostThread* Threads::find_current() noexcept
{
    if (!gave_back) {
        for (const auto& [owner, thread] : thread_exit.entries) {
            if (owner == id_) {
                last_ = {id_, thread};
                return thread;
            }
        }
    }
    try {
        // Room first: what is entered below must not be lost.
        if (!gave_back)
            thread_exit.entries.reserve(thread_exit.entries.size() + 1);
        std::lock_guard lock(mutex_);
        HostThread* thread = free_;
        if (thread) {
            free_ = thread->next_free;
        } else {
            all_.reserve(all_.size() + 1);
            thread = new HostThread;
            all_.push_back(thread);
        }
        thread->holder.thread.store(::pthread_self(), std::memory_order_relaxed);
        if (!gave_back)
            thread_exit.entries.emplace_back(id_, thread);
        last_ = {id_, thread};
        return thread;
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

void Threads::before_fork()
{
    registry().mutex.lock();
}

void Threads::after_fork(bool child)
{
    if (child) {
        registry().kernels.clear();
        registry().process = ::getpid();
        last_ = {};
    }
    registry().mutex.unlock();
}

// The thread ends: so does its task.
void Threads::retire(HostThread* thread) noexcept
{
    const std::lock_guard ending(end_mutex_);
    {
        const InsideCall inside(*thread);
        if (thread->shared.task && !vcpu_.dead()) {
            thread->shared.request = LKL_REQ_EXIT;
            vcpu_.run_request(*thread);
        }
    }
    thread->shared = {};
    thread->parker.take();
    ++thread->tenure;
    std::lock_guard lock(mutex_);
    thread->next_free = free_;
    free_ = thread;
}

bool Threads::in_call()
{
    bool found = false;
    for_each([&found](const HostThread& thread) {
        found |= thread.depth.load(std::memory_order_acquire) != 0;
    });
    return found;
}

Threads::State Threads::save()
{
    State state;
    for_each([&state](HostThread& thread) {
        if (thread.shared.task)
            state.threads.push_back({&thread, thread.shared, thread.tenure});
    });
    return state;
}

bool Threads::has_all(const State& state) const
{
    return std::all_of(state.threads.begin(), state.threads.end(),
                       [](const State::One& one) { return one.thread->tenure == one.tenure; });
}

void Threads::restore(const State& state)
{
    for_each([](HostThread& thread) {
        thread.shared = {};
        thread.parker.take();  // that the kernel has died
    });
    for (const State::One& one : state.threads)
        one.thread->shared = one.shared;
}

}  // namespace lkl
