// SPDX-License-Identifier: GPL-2.0-only
#include <virtio/net/device.hpp>

#include <algorithm>
#include <cstring>
#include <optional>

#include <sys/random.h>

#include <platform/posix/clock.hpp>

namespace lkl::virtio {

namespace {

// 5.1.4, struct virtio_net_config.
struct Config {
    MacAddress mac;
    uint16_t status;
    uint16_t max_virtqueue_pairs;
    uint16_t mtu;
};
static_assert(sizeof(Config) == 12);

constexpr uint16_t status_link_up = 1;

// 5.1.6.5.5
constexpr uint16_t most_pairs = 0x8000;

// When a driver's packets are left to the thread that watches: after so many notifications,
// each at most that long after the one before, in nanoseconds.
constexpr unsigned dense_notifications = 8;
constexpr uint64_t dense_gap = 50'000;

MacAddress random_mac()
{
    MacAddress mac;
    auto& bytes = mac.bytes;
    while (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {}
    bytes[0] = static_cast<uint8_t>((bytes[0] | 2) & ~1);  // administered locally, no group
    return mac;
}

MacAddress choose_mac(const MacAddress& wanted, const MacAddress& offered)
{
    if (wanted != MacAddress{})
        return wanted;
    return offered != MacAddress{} ? offered : random_mac();
}

}  // namespace

NetDevice::Pair::Pair(NetDevice& owner, GuestMemory memory, unsigned number, uint8_t header)
    : device(owner),
      index(number),
      receive_queue(memory, *owner.backend_, number, header),
      transmit_queue(memory, *owner.backend_, number, header)
{
}

bool NetDevice::Pair::active() const noexcept
{
    return device.started_ && index < device.active_pairs_ && !device.ended_;
}

void NetDevice::Pair::changed() noexcept
{
    input.changed();
    output.changed();
}

int NetDevice::Pair::Input::poll_fd() const noexcept
{
    return pair.device.backend_->poll_fd(pair.index);
}

short NetDevice::Pair::Input::events() const noexcept
{
    const bool wanted = pair.active() && pair.device.link() && pair.receive_queue.waiting();
    return wanted ? POLLIN : 0;
}

int NetDevice::Pair::Output::poll_fd() const noexcept
{
    return pair.device.backend_->write_fd(pair.index);
}

short NetDevice::Pair::Output::events() const noexcept
{
    return pair.active() && pair.transmit_queue.blocked() ? POLLOUT : 0;
}

bool NetDevice::Pair::Output::leave() noexcept
{
    const Watcher* const others = watcher();
    // A back end of the process itself takes a packet in less time than it takes to ask.
    if (!others || !others->takes_over() || poll_fd() < 0)
        return false;
    const uint64_t now = posix::monotonic_now();
    const uint64_t idle_times = others->idle_times();
    if (idle_times != idle_times_seen || now - last_notification > dense_gap)
        notifications = 0;
    idle_times_seen = idle_times;
    last_notification = now;
    if (++notifications <= dense_notifications)
        return false;
    left.store(true, std::memory_order_seq_cst);
    events_changed();
    return true;
}

ReceiveQueue::Outcome NetDevice::Pair::receive() noexcept
{
    if (!device.started_ || !device.link())
        return ReceiveQueue::Outcome::broken;
    const bool mergeable = (device.accepted_ & net_mrg_rxbuf) != 0;
    ReceiveLimits limits{device.receive_offload_, 0, mergeable};
    limits.frame = max_frame;
    if (!(limits.offload & (NetOffload::tso4 | NetOffload::tso6 | NetOffload::uso)))
        limits.frame = std::max<uint64_t>(device.mtu_, 1500) + ethernet_header + 4;
    const auto outcome = receive_queue.serve(limits, *device.notifier_);
    input.more = outcome == ReceiveQueue::Outcome::more;
    if (outcome == ReceiveQueue::Outcome::ended && !device.ended_.exchange(true))
        device.notifier_->config_changed();  // the link is down for good
    return outcome;
}

void NetDevice::Pair::transmit(size_t enough) noexcept
{
    // First: what is left from now on is told anew.
    output.left.store(false, std::memory_order_seq_cst);
    if (!device.started_)
        return;
    const auto outcome =
        transmit_queue.serve(device.transmit_offload_, device.link(), *device.notifier_, enough);
    if (outcome == TransmitQueue::Outcome::more)
        output.left.store(true, std::memory_order_seq_cst);
    if (outcome != TransmitQueue::Outcome::done)
        output.changed();
}

NetDevice::NetDevice(std::unique_ptr<NetBackend> backend, GuestMemory memory,
                     const NetDeviceOptions& options)
    : backend_(std::move(backend)),
      info_(backend_->info()),
      queue_size_(options.queue_size),
      mtu_(options.mtu != 0 ? options.mtu : info_.mtu),
      mac_(choose_mac(options.mac, info_.mac)),
      control_(memory, *this)
{
    features_ = net_mac | net_status | net_ctrl_vq | net_ctrl_guest_offloads;
    features_ |= host_features(info_.transmit_offload & options.transmit_offload);
    features_ |= guest_features(info_.receive_offload & options.receive_offload);
    if (options.mergeable)
        features_ |= net_mrg_rxbuf;
    if (mtu_ != 0)
        features_ |= net_mtu;
    if (info_.queue_pairs > 1)
        features_ |= net_mq;
    for (unsigned i = 0; i < std::clamp<unsigned>(info_.queue_pairs, 1, most_pairs); ++i)
        pairs_.push_back(std::make_unique<Pair>(*this, memory, i, info_.header));
}

NetDevice::~NetDevice()
{
    reset();
}

uint16_t NetDevice::queue_count() const noexcept
{
    return static_cast<uint16_t>(2 * pairs_.size() + 1);
}

std::vector<posix::EventSource*> NetDevice::sources() noexcept
{
    std::vector<posix::EventSource*> sources;
    for (const auto& pair : pairs_) {
        sources.push_back(&pair->input);
        sources.push_back(&pair->output);
    }
    return sources;
}

// 5.1.2: behind the queues that the driver knows of.
uint16_t NetDevice::control_index() const noexcept
{
    return accepted_ & net_mq ? static_cast<uint16_t>(2 * pairs_.size()) : uint16_t{2};
}

// 5.1.3.1, and what is asked for without the queue to ask for it.
bool NetDevice::set_features(uint64_t features) noexcept
{
    constexpr uint64_t host = net_host_tso4 | net_host_tso6 | net_host_uso;
    constexpr uint64_t guest = net_guest_tso4 | net_guest_tso6 | net_guest_uso4 | net_guest_uso6;
    if ((features & host && !(features & net_csum)) ||
        (features & guest && !(features & net_guest_csum)) ||
        (features & (net_mq | net_ctrl_guest_offloads) && !(features & net_ctrl_vq)))
        return false;
    accepted_ = features;
    transmit_offload_ = host_offload(features);
    receive_offload_ = guest_offload(features);
    return true;
}

void NetDevice::read_config(uint64_t offset, std::span<std::byte> to) noexcept
{
    Config config{};
    config.mac = mac_;
    config.status = link() ? status_link_up : 0;
    config.max_virtqueue_pairs = static_cast<uint16_t>(pairs_.size());
    config.mtu = mtu_;
    const auto bytes = std::as_bytes(std::span(&config, 1));
    for (std::byte& byte : to) {
        byte = offset < bytes.size() ? bytes[offset] : std::byte{};
        ++offset;
    }
}

bool NetDevice::enable_queue(uint16_t index, const QueueLayout& layout) noexcept
{
    const bool indirect = (accepted_ & feature_indirect) != 0;
    const bool event_index = (accepted_ & feature_event_index) != 0;
    if (index == control_index())
        return control_.enable(layout, indirect, event_index);
    if (index >= 2 * pairs_.size())
        return false;
    Pair& pair = *pairs_[index / 2];
    return index % 2 == 0 ? pair.receive_queue.enable(layout, indirect, event_index)
                          : pair.transmit_queue.enable(layout, indirect, event_index);
}

void NetDevice::disable_queue(uint16_t index) noexcept
{
    if (index == control_index())
        control_.disable();
    else if (index < 2 * pairs_.size() && index % 2 == 0)
        pairs_[index / 2]->receive_queue.disable();
    else if (index < 2 * pairs_.size()) {
        pairs_[index / 2]->transmit();  // what has been left
        pairs_[index / 2]->transmit_queue.disable();
    }
}

void NetDevice::start() noexcept
{
    if (started_)
        return;
    backend_->set_receive_offload(receive_offload_);
    backend_->set_queue_pairs(active_pairs_);
    started_ = true;
    backend_->start(*this);
    for (uint16_t i = 0; i < queue_count(); ++i)
        notify(i);
    for (const auto& pair : pairs_)
        pair->changed();
}

void NetDevice::notify(uint16_t index) noexcept
{
    if (index >= queue_count()) {
        bad_notifications_.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    if (!started_)
        return;
    if (index == control_index()) {
        control_.serve(*notifier_);
        return;
    }
    if (index >= 2 * pairs_.size())
        return;
    Pair& pair = *pairs_[index / 2];
    if (index % 2 != 0) {
        if (!pair.output.leave())
            pair.transmit();
        return;
    }
    // There is room where there was none; the descriptor was not watched meanwhile.
    const bool before = pair.receive_queue.waiting();
    pair.receive();
    if (!before && pair.receive_queue.waiting())
        pair.input.changed();
}

bool NetDevice::readable(unsigned queue) noexcept
{
    auto outcome = ReceiveQueue::Outcome::more;
    while (outcome == ReceiveQueue::Outcome::more)
        outcome = pairs_[queue]->receive();
    return outcome == ReceiveQueue::Outcome::drained;
}

void NetDevice::writable(unsigned queue) noexcept
{
    pairs_[queue]->transmit();
}

bool NetDevice::set_queue_pairs(uint16_t count) noexcept
{
    if (!(accepted_ & net_mq) || count < 1 || count > pairs_.size())
        return false;
    active_pairs_ = count;
    backend_->set_queue_pairs(count);
    for (const auto& pair : pairs_)
        pair->changed();
    return true;
}

bool NetDevice::set_guest_offloads(uint64_t features) noexcept
{
    const uint64_t known = guest_features(NetOffload::all);
    if (!(accepted_ & net_ctrl_guest_offloads) || (features & ~(accepted_ & known)) != 0)
        return false;
    receive_offload_ = guest_offload(features);
    backend_->set_receive_offload(receive_offload_);
    return true;
}

void NetDevice::set_link(bool up) noexcept
{
    if (link_.load() == up)
        return;
    if (up) {
        for (const auto& pair : pairs_)
            pair->receive_queue.discard();
    }
    link_ = up;
    notifier_->config_changed();
    for (const auto& pair : pairs_) {
        pair->transmit();
        pair->changed();
    }
}

void NetDevice::reset() noexcept
{
    drain();
    if (started_.exchange(false))
        backend_->stop();
    for (const auto& pair : pairs_) {
        pair->receive_queue.disable();
        pair->transmit_queue.disable();
        pair->output.left = false;
    }
    control_.disable();
    active_pairs_ = 1;
    accepted_ = 0;
}

void NetDevice::hold() noexcept
{
    for (const auto& pair : pairs_)
        pair->receive_queue.hold();
}

// What came meanwhile has not been told.
void NetDevice::release() noexcept
{
    for (const auto& pair : pairs_) {
        pair->receive_queue.release();
        pair->receive();
        pair->changed();
    }
}

// Whether or not packets have been left: the watcher may be about to send them.
void NetDevice::drain() noexcept
{
    for (const auto& pair : pairs_)
        pair->transmit();
}

namespace {

struct NetState final : DeviceState {
    uint64_t accepted = 0;
    uint32_t transmit_offload = 0;
    uint32_t receive_offload = 0;
    uint16_t active_pairs = 0;
    bool link = false;
    bool started = false;
    std::vector<ReceiveQueue::State> receive_queues;
    std::vector<TransmitQueue::State> transmit_queues;
    std::optional<ControlQueue::State> control;
};

}  // namespace

std::unique_ptr<DeviceState> NetDevice::save()
{
    if (!saveable())
        return nullptr;
    auto state = std::make_unique<NetState>();
    state->accepted = accepted_;
    state->transmit_offload = transmit_offload_;
    state->receive_offload = receive_offload_;
    state->active_pairs = active_pairs_;
    state->link = link_;
    state->started = started_;
    for (const auto& pair : pairs_) {
        state->receive_queues.push_back(pair->receive_queue.save());
        state->transmit_queues.push_back(pair->transmit_queue.save());
    }
    state->control = control_.save();
    return state;
}

void NetDevice::restore(const DeviceState& state) noexcept
{
    const auto& saved = static_cast<const NetState&>(state);
    const bool was_started = started_.exchange(false);
    accepted_ = saved.accepted;
    transmit_offload_ = saved.transmit_offload;
    receive_offload_ = saved.receive_offload;
    active_pairs_ = saved.active_pairs;
    link_ = saved.link;
    for (size_t i = 0; i < pairs_.size(); ++i) {
        Pair& pair = *pairs_[i];
        pair.receive_queue.discard();
        pair.receive_queue.restore(saved.receive_queues[i]);
        pair.transmit_queue.restore(saved.transmit_queues[i]);
        pair.input.more = false;
    }
    control_.restore(*saved.control);
    backend_->set_receive_offload(receive_offload_);
    backend_->set_queue_pairs(active_pairs_);
    // The driver may have given the device up since, or found it.
    started_ = saved.started;
    if (saved.started && !was_started)
        backend_->start(*this);
    else if (!saved.started && was_started)
        backend_->stop();
}

NetStatistics NetDevice::statistics() const noexcept
{
    NetStatistics sum;
    for (const auto& pair : pairs_) {
        pair->receive_queue.add_statistics(sum);
        pair->transmit_queue.add_statistics(sum);
    }
    control_.add_statistics(sum);
    sum.refused = backend_->refused();
    sum.bad_notifications = bad_notifications_.load(std::memory_order_relaxed);
    return sum;
}

}  // namespace lkl::virtio
