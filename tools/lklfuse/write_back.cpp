// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/write_back.hpp"

#include <cstdio>
#include <utility>

#include <sys/utsname.h>

namespace tools::lklfuse {

bool host_waits_for_writeback()
{
    static const bool waits = [] {
        utsname host{};
        int major = 0, minor = 0;
        return uname(&host) == 0 && std::sscanf(host.release, "%d.%d", &major, &minor) == 2 &&
               std::pair(major, minor) >= std::pair(6, 16);
    }();
    return waits;
}

WriteBack::WriteBack(fuse_session* session) : session_(session), thread_([this] { run(); }) {}

WriteBack::~WriteBack()
{
    {
        const std::lock_guard guard(lock_);
        ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void WriteBack::before(fuse_ino_t ino, std::function<void()> then)
{
    const std::lock_guard guard(lock_);
    tasks_.push_back({ino, std::move(then)});
    wake_.notify_one();
}

void WriteBack::run()
{
    std::unique_lock guard(lock_);
    for (;;) {
        wake_.wait(guard, [this] { return ending_ || !tasks_.empty(); });
        if (tasks_.empty())
            return;
        const Task task = std::move(tasks_.front());
        tasks_.pop_front();
        guard.unlock();
        // The host's kernel writes what is dirty before it drops it, and waits for that. An
        // error is one of the connection, which has ended.
        fuse_lowlevel_notify_inval_inode(session_, task.ino, 0, 0);
        task.then();
        guard.lock();
    }
}

}  // namespace tools::lklfuse
