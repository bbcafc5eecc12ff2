// SPDX-License-Identifier: GPL-2.0-only
#include <virtio/net/transmit_queue.hpp>

#include <cassert>

#include <virtio/buffers.hpp>

namespace lkl::virtio {

TransmitQueue::TransmitQueue(GuestMemory memory, NetBackend& backend, unsigned index,
                             uint8_t header)
    : backend_(backend), index_(index), header_(header), queue_(memory)
{
}

bool TransmitQueue::enable(const QueueLayout& layout, bool indirect, bool event_index) noexcept
{
    const std::lock_guard lock(mutex_);
    return queue_.enable(layout, indirect, event_index);
}

void TransmitQueue::disable() noexcept
{
    const std::lock_guard lock(mutex_);
    if (done_ != count_)
        backend_.forget(index_);
    queue_.disable();
    broken_ = false;
    count_ = done_ = used_ = 0;
    blocked_ = false;
}

TransmitQueue::Outcome TransmitQueue::serve(uint32_t offload, bool link, Notifier& notifier,
                                            size_t enough) noexcept
{
    const std::lock_guard lock(mutex_);
    if (!queue_.enabled() || broken_)
        return Outcome::done;
    bool full = false;
    size_t taken = 0;
    do {
        if (done_ == count_)
            collect(offload, notifier);
        full = !transmit(link);
        if (queue_.publish())
            notifier.used_buffers();
        taken += count_;
        if (!full && !broken_ && enough != 0 && taken >= enough) {
            blocked_ = false;
            return Outcome::more;
        }
    } while (!full && !broken_ && (count_ != 0 || queue_.arm()));
    if (blocked_.exchange(full) || !full)
        return Outcome::done;
    ++statistics_.blocked;
    return Outcome::full;
}

// Fills the batch. Bounded: every round takes one of the queue's heads, and those that
// are refused are given back at most once each, before the driver sees it.
void TransmitQueue::collect(uint32_t offload, Notifier& notifier) noexcept
{
    count_ = done_ = used_ = 0;
    for (uint32_t round = 0; round < queue_.size() && count_ < batch; ++round) {
        // One element more, for the header.
        if (space_.size() - used_ <= Queue::max_chain)
            break;
        const size_t start = used_ + 1;
        Chain chain;
        const Queue::Pop result =
            queue_.pop(std::span(space_).subspan(start, Queue::max_chain), chain);
        if (result == Queue::Pop::empty)
            break;
        if (result == Queue::Pop::fault) {
            broken_ = true;
            ++statistics_.bad_chains;
            notifier.needs_reset();
            break;
        }
        if (!accept(chain, start, offload)) {
            ++statistics_.bad_packets;
            ++statistics_.bad_packets_sent;
            queue_.push(chain.head, 0);
        }
    }
}

// 5.1.6.2: header and frame, and nothing to write to.
bool TransmitQueue::accept(const Chain& chain, size_t start, uint32_t offload) noexcept
{
    Packet& packet = packets_[count_];
    std::span<iovec> data = chain.readable;
    if (!chain.writable.empty() || !take(data, packet.header) ||
        !header_agreed(packet.header, offload))
        return false;
    packet.length = total(data);
    if (packet.length < ethernet_header || packet.length > max_frame)
        return false;
    packet.head = chain.head;
    packet.header.num_buffers = 0;  // 5.1.6.2.1
    const size_t end = start + chain.readable.size();
    if (header_ != 0) {
        data = std::span(data.data() - 1, data.size() + 1);
        data[0] = {&packet.header, header_};
    }
    buffers_[count_++] = data;
    used_ = end;
    return true;
}

// False: the back end is full.
bool TransmitQueue::transmit(bool link) noexcept
{
    while (done_ < count_) {
        const size_t left = count_ - done_;
        size_t sent = left;
        if (link)
            sent = backend_.transmit(index_, std::span(buffers_).subspan(done_, left));
        else
            backend_.forget(index_);
        for (size_t i = done_; i < done_ + sent; ++i) {
            queue_.push(packets_[i].head, 0);
            if (link) {
                ++statistics_.sent;
                statistics_.bytes_sent += packets_[i].length;
            } else {
                ++statistics_.lost_link_down;
            }
        }
        done_ += sent;
        if (sent < left)
            return false;
    }
    return true;
}

TransmitQueue::State TransmitQueue::save() const noexcept
{
    const std::lock_guard lock(mutex_);
    assert(done_ == count_);
    return {queue_, broken_};
}

void TransmitQueue::restore(const State& state) noexcept
{
    const std::lock_guard lock(mutex_);
    queue_ = state.queue;
    broken_ = state.broken;
    count_ = done_ = used_ = 0;
    blocked_ = false;
}

void TransmitQueue::add_statistics(NetStatistics& sum) const noexcept
{
    const std::lock_guard lock(mutex_);
    sum.sent += statistics_.sent;
    sum.bytes_sent += statistics_.bytes_sent;
    sum.lost_link_down += statistics_.lost_link_down;
    sum.bad_packets += statistics_.bad_packets;
    sum.bad_packets_sent += statistics_.bad_packets_sent;
    sum.bad_chains += statistics_.bad_chains;
    sum.blocked += statistics_.blocked;
}

}  // namespace lkl::virtio
