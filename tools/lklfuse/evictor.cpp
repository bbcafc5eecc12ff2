// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/evictor.hpp"

#include <utility>

namespace tools::lklfuse {

Evictor::Evictor(fuse_session* session, std::function<size_t()> pins, size_t limit)
    : session_(session), pins_(std::move(pins)), limit_(limit), thread_([this] { run(); })
{
}

Evictor::~Evictor()
{
    {
        const std::lock_guard guard(lock_);
        ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void Evictor::add(fuse_ino_t parent, const char* name)
{
    const std::lock_guard guard(lock_);
    names_.push_back({parent, name});
    if (pins_() > limit_)
        wake_.notify_one();
}

void Evictor::run()
{
    std::unique_lock guard(lock_);
    for (;;) {
        wake_.wait(guard, [this] { return ending_ || (pins_() > limit_ && !names_.empty()); });
        if (ending_)
            return;
        // A quarter at a time. The requests to forget come later; so it is names that
        // are counted here.
        for (size_t count = limit_ / 4; count > 0 && !names_.empty() && !ending_; count--) {
            const Name oldest = std::move(names_.front());
            names_.pop_front();
            guard.unlock();
            // What fails is not known any more, or the connection has ended.
            fuse_lowlevel_notify_inval_entry(session_, oldest.parent, oldest.name.c_str(),
                                             oldest.name.size());
            guard.lock();
        }
    }
}

}  // namespace tools::lklfuse
