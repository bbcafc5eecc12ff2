// SPDX-License-Identifier: GPL-2.0-only
#include <virtio/block/request_queue.hpp>

#include <cassert>
#include <cerrno>
#include <new>

#include <virtio/block/back_end_wait.hpp>

namespace lkl::virtio {

namespace {

// Buffers of one slot. A few more than needed: at 4096 bytes apart, the first
// buffers of all slots would share the same lines of the processor's cache.
constexpr size_t slot_buffers = Queue::max_chain + 4;

}  // namespace

RequestQueue::RequestQueue(GuestMemory memory, BlockBackend& backend, Unflushed& unflushed,
                           std::function<void()> reap)
    : backend_(backend), unflushed_(unflushed), reap_(std::move(reap)), queue_(memory)
{
}

RequestQueue::~RequestQueue()
{
    disable();
}

// Slots stay allocated until another size is asked for. The buffers are left
// uninitialised: only what is used costs memory.
bool RequestQueue::allocate(uint16_t size) noexcept
{
    if (size == size_)
        return true;
    size_ = 0;
    free_ = nullptr;
    const size_t count = size + 1u;
    slots_.reset(new (std::nothrow) Slot[count]);
    buffers_.reset(new (std::nothrow) iovec[count * slot_buffers]);
    try {
        batch_.reserve(size);
    } catch (const std::bad_alloc&) {
        return false;
    }
    if (!slots_ || !buffers_)
        return false;
    for (size_t i = count; i-- > 0;) {
        slots_[i].owner = this;
        slots_[i].buffers = &buffers_[i * slot_buffers];
        slots_[i].next_free = free_;
        free_ = &slots_[i];
    }
    size_ = size;
    return true;
}

bool RequestQueue::enable(const QueueLayout& layout, bool indirect, bool event_index) noexcept
{
    const std::lock_guard lock(mutex_);
    assert(in_flight_ == 0 && holds_ == 0);
    if (!queue_.enable(layout, indirect, event_index))
        return false;
    if (!allocate(layout.size)) {
        queue_.disable();
        return false;
    }
    broken_ = false;
    return true;
}

void RequestQueue::disable() noexcept
{
    std::unique_lock lock(mutex_);
    closing_ = true;
    wait_idle(lock);
    queue_.disable();
    broken_ = false;
    closing_ = false;
}

void RequestQueue::drain() noexcept
{
    std::unique_lock lock(mutex_);
    wait_idle(lock);
}

void RequestQueue::wait_idle(std::unique_lock<std::mutex>& lock) noexcept
{
    ++waiters_;
    wait_for_completions(
        backend_, lock, idle_, [this] { return in_flight_ == 0 && holds_ == 0; }, reap_);
    --waiters_;
}

void RequestQueue::serve(const BlockLimits& limits, const std::string& serial,
                         Notifier& notifier) noexcept
{
    std::unique_lock lock(mutex_);
    if (!queue_.enabled() || closing_)
        return;
    notifier_ = &notifier;
    ++holds_;
    do {
        const size_t count = collect(limits, serial, notifier);
        if (count == 0)
            continue;
        lock.unlock();
        backend_.submit({batch_.data(), count});
        lock.lock();
    } while (!closing_ && !broken_ && queue_.arm());
    unhold();
}

// Fills batch_ with what is there for the back end; answers the rest. Bounded:
// every round takes one of the queue's heads.
size_t RequestQueue::collect(const BlockLimits& limits, const std::string& serial,
                             Notifier& notifier) noexcept
{
    batch_.clear();
    for (uint32_t round = 0; round < size_ && !broken_; ++round) {
        Slot& slot = *free_;
        Chain chain;
        const Queue::Pop result = queue_.pop({slot.buffers, Queue::max_chain}, chain);
        if (result == Queue::Pop::empty)
            break;
        ParsedRequest request;
        if (result == Queue::Pop::chain)
            request = parse_request(chain, limits);
        if (request.verdict == Verdict::broken) {
            broken_ = true;
            ++statistics_.bad_chains;
            notifier.needs_reset();
            break;
        }

        free_ = slot.next_free;
        slot.head = chain.head;
        slot.status = request.status;
        if (request.verdict != Verdict::submit) {
            BlockStatus status = BlockStatus::ok;
            if (request.verdict == Verdict::get_id) {
                write_serial(request.data, serial);
            } else {
                ++statistics_.bad_requests;
                status = request.refusal;
            }
            give_back(slot, status, request.written);
            continue;
        }
        slot.op = request.op;
        slot.unmap = request.unmap;
        slot.durable = request.durable;
        slot.offset = request.offset;
        slot.length = slot.bytes = request.length;
        slot.changes = unflushed_.changes();
        slot.iov = request.data;
        slot.written = request.written;
        slot.next = nullptr;
        ++in_flight_;
        batch_.push_back(&slot);  // capacity is reserved
    }
    return batch_.size();
}

// With the lock held to the end: as soon as it is free and nothing is in flight,
// a waiter may destroy the queue. The interrupt is raised under it, too; that
// wakes a virtual CPU at most when that is idle and so does not want the lock.
void RequestQueue::finish(Slot& slot, int result) noexcept
{
    const std::lock_guard lock(mutex_);
    count(slot, result);
    BlockStatus status = BlockStatus::ok;
    if (result != 0)
        status = result == -EOPNOTSUPP ? BlockStatus::unsupported : BlockStatus::io_error;
    // 2.7.8: the length counts what was written from the front of the buffers. Of
    // a read that failed, that is not known to be anything.
    give_back(slot, status, result == 0 || slot.op != BlockOp::read ? slot.written : 0);
    --in_flight_;
    if (holds_ == 0)
        publish();
    if (waiters_ != 0 && in_flight_ == 0)
        idle_.notify_all();
}

void RequestQueue::give_back(Slot& slot, BlockStatus status, uint32_t written) noexcept
{
    *slot.status = static_cast<std::byte>(status);
    queue_.push(slot.head, written);
    slot.next_free = free_;
    free_ = &slot;
}

void RequestQueue::publish() noexcept
{
    if (queue_.publish())
        notifier_->used_buffers();
}

void RequestQueue::hold() noexcept
{
    const std::lock_guard lock(mutex_);
    ++holds_;
}

void RequestQueue::release() noexcept
{
    const std::lock_guard lock(mutex_);
    unhold();
}

void RequestQueue::unhold() noexcept
{
    if (--holds_ != 0)
        return;
    publish();
    if (waiters_ != 0)
        idle_.notify_all();
}

void RequestQueue::count(const Slot& slot, int result) noexcept
{
    if (result != 0) {
        ++statistics_.failed;
        if (result != -EOPNOTSUPP && (slot.op == BlockOp::write || slot.op == BlockOp::flush))
            ++statistics_.failed_writes;
        return;
    }
    if (slot.op == BlockOp::flush)
        unflushed_.flushed(slot.changes);
    else if (slot.op != BlockOp::read && !slot.durable)
        unflushed_.changed();
    switch (slot.op) {
    case BlockOp::read:
        ++statistics_.reads;
        statistics_.bytes_read += slot.bytes;
        break;
    case BlockOp::write:
        ++statistics_.writes;
        statistics_.bytes_written += slot.bytes;
        break;
    case BlockOp::flush:
        ++statistics_.flushes;
        break;
    case BlockOp::discard:
        ++statistics_.discards;
        break;
    case BlockOp::write_zeroes:
        ++statistics_.write_zeroes;
        break;
    }
}

RequestQueue::State RequestQueue::save() const noexcept
{
    const std::lock_guard lock(mutex_);
    return {queue_, broken_};
}

void RequestQueue::restore(const State& state) noexcept
{
    const std::lock_guard lock(mutex_);
    assert(in_flight_ == 0 && holds_ == 0);
    queue_ = state.queue;
    // Slots of another size were made since if the driver has set the queue up anew.
    broken_ = state.broken || (queue_.enabled() && !allocate(queue_.size()));
}

void RequestQueue::add_statistics(BlockStatistics& sum) const noexcept
{
    const std::lock_guard lock(mutex_);
    sum.reads += statistics_.reads;
    sum.writes += statistics_.writes;
    sum.flushes += statistics_.flushes;
    sum.discards += statistics_.discards;
    sum.write_zeroes += statistics_.write_zeroes;
    sum.bytes_read += statistics_.bytes_read;
    sum.bytes_written += statistics_.bytes_written;
    sum.in_flight += in_flight_;
    sum.failed += statistics_.failed;
    sum.failed_writes += statistics_.failed_writes;
    sum.bad_requests += statistics_.bad_requests;
    sum.bad_chains += statistics_.bad_chains;
}

}  // namespace lkl::virtio
