// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/evictor.hpp"

#include <algorithm>
#include <utility>

namespace tools::lklfuse {

namespace {

// A file with more is left to the host's kernel, which forgets when it needs memory.
constexpr size_t most_names = 16;

}  // namespace

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

void Evictor::add(fuse_ino_t ino, fuse_ino_t parent, const char* name)
{
    const std::lock_guard guard(lock_);
    const auto [found, fresh] = known_.try_emplace(ino);
    Known& known = found->second;
    if (fresh)
        known.place = order_.insert(order_.end(), ino);
    else
        order_.splice(order_.end(), order_, known.place);
    const bool new_name = std::none_of(
        known.names.begin(), known.names.end(),
        [&](const Name& other) { return other.parent == parent && other.name == name; });
    if (new_name) {
        if (known.names.size() == most_names)
            known.names.erase(known.names.begin());
        known.names.push_back({parent, name});
    }
    if (pins_() > limit_)
        wake_.notify_one();
}

void Evictor::remove(fuse_ino_t ino)
{
    const std::lock_guard guard(lock_);
    const auto found = known_.find(ino);
    if (found == known_.end())
        return;
    order_.erase(found->second.place);
    known_.erase(found);
}

std::vector<Evictor::Name> Evictor::take_oldest()
{
    const auto oldest = known_.find(order_.front());
    std::vector<Name> names = std::move(oldest->second.names);
    order_.pop_front();
    known_.erase(oldest);
    return names;
}

void Evictor::run()
{
    std::unique_lock guard(lock_);
    for (;;) {
        wake_.wait(guard, [this] { return ending_ || (pins_() > limit_ && !order_.empty()); });
        if (ending_)
            return;
        // A quarter at a time. The requests to forget come later; so it is nodes asked for
        // that are counted here.
        for (size_t count = limit_ / 4; count > 0 && !order_.empty() && !ending_; count--) {
            const std::vector<Name> names = take_oldest();
            guard.unlock();
            // What fails is not known any more, or the connection has ended.
            for (const Name& one : names)
                fuse_lowlevel_notify_inval_entry(session_, one.parent, one.name.c_str(),
                                                 one.name.size());
            guard.lock();
        }
    }
}

}  // namespace tools::lklfuse
