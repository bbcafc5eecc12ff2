// SPDX-License-Identifier: GPL-2.0-only
#include <virtio/net/control_queue.hpp>

#include <virtio/buffers.hpp>

namespace lkl::virtio {

namespace {

// 5.1.6.5, struct virtio_net_ctrl.
struct Command {
    uint8_t command_class;
    uint8_t command;
};

constexpr uint8_t class_mq = 4;
constexpr uint8_t mq_vq_pairs_set = 0;
constexpr uint8_t class_guest_offloads = 5;
constexpr uint8_t guest_offloads_set = 0;

constexpr std::byte ok{0};
constexpr std::byte error{1};

}  // namespace

bool ControlQueue::enable(const QueueLayout& layout, bool indirect, bool event_index) noexcept
{
    const std::lock_guard lock(mutex_);
    return queue_.enable(layout, indirect, event_index);
}

void ControlQueue::disable() noexcept
{
    const std::lock_guard lock(mutex_);
    queue_.disable();
    broken_ = false;
}

void ControlQueue::serve(Notifier& notifier) noexcept
{
    const std::lock_guard lock(mutex_);
    do {
        Chain chain;
        const Queue::Pop result = queue_.pop(space_, chain);
        if (result == Queue::Pop::empty)
            continue;
        if (result == Queue::Pop::fault || chain.writable.empty()) {
            // There is no place for an answer.
            ++statistics_.bad_chains;
            broken_ = true;
            notifier.needs_reset();
            break;
        }
        const bool good = execute(chain.readable);
        statistics_.bad_commands += good ? 0 : 1;
        *static_cast<std::byte*>(chain.writable.front().iov_base) = good ? ok : error;
        queue_.push(chain.head, 1);
        if (queue_.publish())
            notifier.used_buffers();
    } while (!broken_ && queue_.arm());
}

bool ControlQueue::execute(std::span<iovec> readable) noexcept
{
    Command command{};
    if (!take(readable, command))
        return false;
    if (command.command_class == class_mq && command.command == mq_vq_pairs_set) {
        uint16_t count = 0;
        return take(readable, count) && readable.empty() && commands_.set_queue_pairs(count);
    }
    if (command.command_class == class_guest_offloads && command.command == guest_offloads_set) {
        uint64_t features = 0;
        return take(readable, features) && readable.empty() &&
               commands_.set_guest_offloads(features);
    }
    return false;
}

ControlQueue::State ControlQueue::save() const noexcept
{
    const std::lock_guard lock(mutex_);
    return {queue_, broken_};
}

void ControlQueue::restore(const State& state) noexcept
{
    const std::lock_guard lock(mutex_);
    queue_ = state.queue;
    broken_ = state.broken;
}

void ControlQueue::add_statistics(NetStatistics& sum) const noexcept
{
    const std::lock_guard lock(mutex_);
    sum.bad_chains += statistics_.bad_chains;
    sum.bad_commands += statistics_.bad_commands;
}

}  // namespace lkl::virtio
