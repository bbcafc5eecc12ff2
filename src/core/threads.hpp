// SPDX-License-Identifier: GPL-2.0-only
// Which HostThread belongs to the calling thread, per kernel.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include <core/vcpu.hpp>

namespace lkl {

// The host threads of one kernel. A thread gets its HostThread with its first
// call; when the host thread ends, its kernel task ends too, and the HostThread
// waits for the next newcomer.
class Threads {
public:
    explicit Threads(Vcpu& vcpu);
    // The kernel is dead, and no call is under way.
    ~Threads();
    Threads(const Threads&) = delete;
    Threads& operator=(const Threads&) = delete;

    // The calling thread's. Null: out of memory.
    HostThread* current() noexcept
    {
        if (last_.owner == id_) [[likely]]
            return last_.thread;
        return find_current();
    }

private:
    friend struct ThreadExit;

    // The kernel that this thread called last: nearly always the only one. Plain
    // data, so that no access needs a check or a call.
    struct Last {
        uint64_t owner;
        HostThread* thread;
    };
    static thread_local Last last_ __attribute__((tls_model("initial-exec")));

    HostThread* find_current() noexcept;
    void retire(HostThread* thread) noexcept;

    const uint64_t id_;  // never used twice, unlike addresses
    Vcpu& vcpu_;
    std::mutex mutex_;
    std::vector<HostThread*> all_;
    HostThread* free_ = nullptr;
};

}  // namespace lkl
