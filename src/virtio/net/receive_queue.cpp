// SPDX-License-Identifier: GPL-2.0-only
#include <virtio/net/receive_queue.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <virtio/buffers.hpp>

namespace lkl::virtio {

namespace {

// More than a back end keeps; others can have more at any time.
constexpr int most_discarded = 2048;

}  // namespace

ReceiveQueue::ReceiveQueue(GuestMemory memory, NetBackend& backend, unsigned index, uint8_t header)
    : backend_(backend), index_(index), header_length_(header), queue_(memory)
{
}

bool ReceiveQueue::enable(const QueueLayout& layout, bool indirect, bool event_index) noexcept
{
    const std::lock_guard lock(mutex_);
    waiting_ = queue_.enable(layout, indirect, event_index) && !ended_;
    return queue_.enabled();
}

void ReceiveQueue::disable() noexcept
{
    const std::lock_guard lock(mutex_);
    queue_.disable();
    waiting_ = broken_ = stripped_ = false;
    first_ = last_ = 0;
    capacity_ = 0;
    used_ = 1;
}

ReceiveQueue::Outcome ReceiveQueue::serve(const ReceiveLimits& limits, Notifier& notifier) noexcept
{
    const std::lock_guard lock(mutex_);
    if (!queue_.enabled() || broken_ || held_)
        return Outcome::broken;
    Outcome outcome = Outcome::more;
    for (int packets = 0; packets < budget && outcome == Outcome::more && !ended_; ++packets) {
        if (!fill(limits, notifier)) {
            outcome = broken_ ? Outcome::broken : Outcome::starved;
            break;
        }
        const ssize_t length = receive();
        if (length > 0)
            deliver(static_cast<uint64_t>(length), limits);
        else if (length == 0)
            outcome = Outcome::drained;
        else if (length == -EMSGSIZE)
            ++statistics_.unwanted;
        else
            ended_ = true;
        // One by one: the kernel may be at work on those before.
        if (queue_.publish())
            notifier.used_buffers();
    }
    if (ended_)
        outcome = Outcome::ended;
    if (outcome == Outcome::starved)
        ++statistics_.starved;
    waiting_ = outcome == Outcome::drained || outcome == Outcome::more;
    return outcome;
}

// Pops until any packet fits. False: there are not enough chains, or they are broken.
bool ReceiveQueue::fill(const ReceiveLimits& limits, Notifier& notifier) noexcept
{
    const uint64_t wanted = limits.frame + sizeof(NetHeader);
    const auto enough = [&] { return limits.mergeable ? capacity_ >= wanted : first_ != last_; };
    for (size_t round = 0; !enough(); ++round) {
        make_room();
        if (last_ == window || space_.size() - used_ < Queue::max_chain)
            return true;  // of no more than a byte or so each: as much as there is
        Chain chain;
        const Queue::Pop result =
            queue_.pop(std::span(space_).subspan(used_, Queue::max_chain), chain);
        if (result == Queue::Pop::empty) {
            if (queue_.arm())
                continue;
            return false;
        }
        // A driver that fills the queue with what is of no use can keep us here.
        if (result == Queue::Pop::fault || round > 2 * window) {
            broken_ = true;
            ++statistics_.bad_chains;
            notifier.needs_reset();
            return false;
        }
        if (!add(chain, used_)) {
            ++statistics_.bad_packets;
            queue_.push(chain.head, 0);
            if (queue_.publish())
                notifier.used_buffers();
        }
    }
    return true;
}

// 5.1.6.3: nothing to read, and room for a header at least.
bool ReceiveQueue::add(const Chain& chain, size_t start) noexcept
{
    const uint64_t length = total(chain.writable);
    if (!chain.readable.empty() || length <= sizeof(NetHeader))
        return false;
    rooms_[last_++] = {chain.head, static_cast<uint16_t>(chain.writable.size()),
                       static_cast<uint32_t>(start), length};
    capacity_ += length;
    used_ = start + chain.writable.size();
    return true;
}

// Moves what is left of the window to the front when it is at the end.
void ReceiveQueue::make_room() noexcept
{
    if (last_ < window && space_.size() - used_ >= Queue::max_chain)
        return;
    std::copy(rooms_.begin() + static_cast<ptrdiff_t>(first_),
              rooms_.begin() + static_cast<ptrdiff_t>(last_), rooms_.begin());
    last_ -= first_;
    first_ = 0;
    const size_t start = last_ != 0 ? rooms_[0].start : used_;
    std::copy(space_.begin() + static_cast<ptrdiff_t>(start),
              space_.begin() + static_cast<ptrdiff_t>(used_), space_.begin() + 1);
    used_ -= start - 1;
    for (size_t i = 0; i < last_; ++i)
        rooms_[i].start -= static_cast<uint32_t>(start - 1);
}

// Takes the header's place off the front of the first room.
void ReceiveQueue::strip() noexcept
{
    if (stripped_)
        return;
    stripped_ = true;
    places_ = 0;
    Room& room = rooms_[first_];
    for (size_t left = sizeof(NetHeader); left != 0;) {
        iovec& element = space_[room.start];
        const size_t part = std::min(element.iov_len, left);
        place_[places_++] = {element.iov_base, part};
        element.iov_base = static_cast<std::byte*>(element.iov_base) + part;
        element.iov_len -= part;
        left -= part;
        if (element.iov_len == 0) {
            ++room.start;
            --room.count;
        }
    }
}

ssize_t ReceiveQueue::receive() noexcept
{
    strip();
    header_ = {};
    size_t start = rooms_[first_].start;
    if (header_length_ != 0)
        space_[--start] = {&header_, header_length_};
    return backend_.receive(index_, std::span(space_).subspan(start, used_ - start));
}

// `length`: of the packet that is in the window, with the back end's header.
void ReceiveQueue::deliver(uint64_t length, const ReceiveLimits& limits) noexcept
{
    if (!(limits.offload & NetOffload::checksum))
        header_.flags &= static_cast<uint8_t>(~header_data_valid);
    const uint64_t whole = length - header_length_ + sizeof(NetHeader);
    const uint64_t room = limits.mergeable ? capacity_ : rooms_[first_].length;
    if (length < header_length_ + ethernet_header || whole > room ||
        !header_agreed(header_, limits.offload)) {
        ++statistics_.unwanted;
        return;
    }
    header_.num_buffers = 0;
    for (uint64_t left = whole; left != 0;) {
        const Room& next = rooms_[first_++];
        const uint64_t part = std::min(next.length, left);
        queue_.push(next.head, static_cast<uint32_t>(part));
        capacity_ -= next.length;
        left -= part;
        ++header_.num_buffers;
    }
    write_header();
    stripped_ = false;
    ++statistics_.received;
    statistics_.bytes_received += whole - sizeof(NetHeader);
    if (first_ == last_) {
        first_ = last_ = 0;
        used_ = 1;
    }
}

void ReceiveQueue::write_header() noexcept
{
    const auto* from = reinterpret_cast<const std::byte*>(&header_);
    for (const iovec& part : std::span(place_).first(places_)) {
        std::memcpy(part.iov_base, from, part.iov_len);
        from += part.iov_len;
    }
}

void ReceiveQueue::discard() noexcept
{
    const std::lock_guard lock(mutex_);
    std::array<std::byte, 2048> rest;  // longer packets are cut off
    const std::array<iovec, 2> into{{{&header_, header_length_}, {rest.data(), rest.size()}}};
    const auto used = header_length_ != 0 ? std::span(into) : std::span(into).subspan(1);
    for (int packets = 0; packets < most_discarded; ++packets) {
        const ssize_t length = backend_.receive(index_, used);
        if (length == 0 || (length < 0 && length != -EMSGSIZE))
            return;
    }
}

void ReceiveQueue::hold() noexcept
{
    const std::lock_guard lock(mutex_);
    held_ = true;
}

void ReceiveQueue::release() noexcept
{
    const std::lock_guard lock(mutex_);
    held_ = false;
}

ReceiveQueue::State ReceiveQueue::save() const
{
    const std::lock_guard lock(mutex_);
    const auto from = [](const auto& array, size_t first, size_t last) {
        return std::vector(array.begin() + static_cast<ptrdiff_t>(first),
                           array.begin() + static_cast<ptrdiff_t>(last));
    };
    return {queue_,
            broken_,
            waiting_,
            stripped_,
            first_,
            places_,
            capacity_,
            place_,
            from(rooms_, first_, last_),
            from(space_, 0, used_)};
}

void ReceiveQueue::restore(const State& state) noexcept
{
    const std::lock_guard lock(mutex_);
    queue_ = state.queue;
    broken_ = state.broken;
    waiting_ = state.waiting;
    stripped_ = state.stripped;
    first_ = state.first;
    last_ = first_ + state.rooms.size();
    places_ = state.places;
    capacity_ = state.capacity;
    place_ = state.place;
    used_ = state.space.size();
    std::copy(state.rooms.begin(), state.rooms.end(),
              rooms_.begin() + static_cast<ptrdiff_t>(first_));
    std::copy(state.space.begin(), state.space.end(), space_.begin());
}

void ReceiveQueue::add_statistics(NetStatistics& sum) const noexcept
{
    const std::lock_guard lock(mutex_);
    sum.received += statistics_.received;
    sum.bytes_received += statistics_.bytes_received;
    sum.unwanted += statistics_.unwanted;
    sum.bad_packets += statistics_.bad_packets;
    sum.bad_chains += statistics_.bad_chains;
    sum.starved += statistics_.starved;
}

}  // namespace lkl::virtio
