// SPDX-License-Identifier: GPL-2.0-only
#include <virtio/mmio.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace lkl::virtio {

namespace {

// VIRTIO 1.2, table 4.1.
enum Register : uint64_t {
    magic_value = 0x000,
    version = 0x004,
    device_id = 0x008,
    vendor_id = 0x00c,
    device_features = 0x010,
    device_features_sel = 0x014,
    driver_features = 0x020,
    driver_features_sel = 0x024,
    queue_sel = 0x030,
    queue_size_max = 0x034,
    queue_size = 0x038,
    queue_ready = 0x044,
    queue_notify = 0x050,
    interrupt_status = 0x060,
    interrupt_ack = 0x064,
    device_status = 0x070,
    queue_desc_low = 0x080,
    queue_desc_high = 0x084,
    queue_driver_low = 0x090,
    queue_driver_high = 0x094,
    queue_device_low = 0x0a0,
    queue_device_high = 0x0a4,
    shm_sel = 0x0ac,
    shm_len_low = 0x0b0,
    shm_len_high = 0x0b4,
    shm_base_low = 0x0b8,
    shm_base_high = 0x0bc,
    queue_reset = 0x0c0,
    config_generation = 0x0fc,
    config_space = 0x100,
};

constexpr uint32_t magic = 0x74726976;  // "virt"

// 2.1, device status.
constexpr uint32_t status_driver_ok = 4;
constexpr uint32_t status_features_ok = 8;
constexpr uint32_t status_needs_reset = 64;
constexpr uint32_t status_failed = 128;

void set_low(uint64_t& address, uint32_t value)
{
    address = (address & ~0xffffffffull) | value;
}

void set_high(uint64_t& address, uint32_t value)
{
    address = (address & 0xffffffffull) | static_cast<uint64_t>(value) << 32;
}

}  // namespace

Mmio::Mmio(Device& device, IrqLine& line)
    : device_(device),
      line_(line),
      offered_(device.features() | feature_indirect | feature_event_index | feature_version_1 |
               feature_ring_reset),
      queue_size_max_(std::min(device.queue_size_max(), Queue::max_size))
{
    registers_.queues.resize(device.queue_count());
    device.attach(*this);
}

Mmio::~Mmio()
{
    reset();
}

MmioErrors Mmio::errors() const noexcept
{
    const std::lock_guard lock(mutex_);
    MmioErrors errors = errors_;
    errors.resets = resets_.load(std::memory_order_relaxed);
    return errors;
}

// Interrupts. The status register is a level, the line an edge. The line is
// raised when the level leaves 0, and again when an acknowledgement leaves a part
// of it standing. The driver reads the status, acknowledges what it read and then
// looks at its queues; so a cause that is set while an older one still stands is
// covered: either the acknowledgement comes after it and the driver's look sees
// the used index (published before; the exchanges below order them), or the
// acknowledgement does not include it and raises the line once more.
void Mmio::interrupt(uint32_t cause) noexcept
{
    if (interrupts_.fetch_or(cause, std::memory_order_acq_rel) == 0)
        line_.raise();
}

void Mmio::acknowledge(uint32_t causes) noexcept
{
    const uint32_t before = interrupts_.fetch_and(~causes, std::memory_order_acq_rel);
    if ((before & causes) && (before & ~causes))
        line_.raise();
}

void Mmio::config_changed() noexcept
{
    generation_.fetch_add(1, std::memory_order_release);
    if (status_.load(std::memory_order_acquire) & status_driver_ok)
        interrupt(interrupt_config);
}

// 2.1.2: the device sets the bit and, if the driver was ready, says so by a
// configuration change.
void Mmio::needs_reset() noexcept
{
    const uint32_t before = status_.fetch_or(status_needs_reset, std::memory_order_acq_rel);
    if (before & status_needs_reset)
        return;
    resets_.fetch_add(1, std::memory_order_relaxed);
    if (before & status_driver_ok)
        interrupt(interrupt_config);
}

uint64_t Mmio::read(uint64_t offset, unsigned size) noexcept
{
    if (offset == interrupt_status && size == 4)
        return interrupts_.load(std::memory_order_acquire);
    const std::lock_guard lock(mutex_);
    const bool good_size = size == 1 || size == 2 || size == 4 || size == 8;
    if (offset >= config_space && offset < window && good_size && offset % size == 0) {
        std::array<std::byte, 8> bytes{};
        device_.read_config(offset - config_space, std::span(bytes).first(size));
        uint64_t value = 0;
        std::memcpy(&value, bytes.data(), sizeof value);
        return value;
    }
    if (size != 4 || offset % 4 != 0 || offset >= config_space) {
        ++errors_.access;
        return 0;
    }
    return read_register(offset);
}

uint32_t Mmio::read_register(uint64_t offset) noexcept
{
    const QueueRegisters* const queue = selected();
    switch (offset) {
    case magic_value:
        return magic;
    case version:
        return 2;
    case device_id:
        return device_.id();
    case vendor_id:
        return vendor;
    case device_features:
        if (registers_.device_features_select > 1)
            return 0;
        return static_cast<uint32_t>(offered_ >> (32 * registers_.device_features_select));
    case queue_size_max:
        return queue ? queue_size_max_ : 0;
    case queue_ready:
        return queue && queue->ready;
    case queue_reset:
        return 0;  // a reset is over before its write returns
    case device_status:
        return status_.load(std::memory_order_acquire);
    case shm_len_low:
    case shm_len_high:
    case shm_base_low:
    case shm_base_high:
        return ~0u;  // 4.2.2.1: this is how a region that does not exist reads
    case config_generation:
        return generation_.load(std::memory_order_acquire);
    default:
        ++errors_.access;
        return 0;
    }
}

void Mmio::write(uint64_t offset, uint64_t value, unsigned size) noexcept
{
    // The two registers of the hot path need no lock: the device checks whether
    // it is started and whether the queue exists and is enabled.
    if (size == 4 && offset == queue_notify) {
        device_.notify(static_cast<uint16_t>(std::min<uint64_t>(value, 0xffff)));
        return;
    }
    if (size == 4 && offset == interrupt_ack) {
        acknowledge(static_cast<uint32_t>(value));
        return;
    }
    const std::lock_guard lock(mutex_);
    const bool good_size = size == 1 || size == 2 || size == 4 || size == 8;
    if (offset >= config_space && offset < window && good_size && offset % size == 0) {
        std::array<std::byte, 8> bytes{};
        std::memcpy(bytes.data(), &value, sizeof value);
        device_.write_config(offset - config_space, std::span(bytes).first(size));
        return;
    }
    if (size != 4 || offset % 4 != 0 || offset >= config_space) {
        ++errors_.access;
        return;
    }
    write_register(offset, static_cast<uint32_t>(value));
}

void Mmio::write_register(uint64_t offset, uint32_t value) noexcept
{
    switch (offset) {
    case device_features_sel:
        registers_.device_features_select = value;
        return;
    case driver_features_sel:
        registers_.driver_features_select = value;
        return;
    case driver_features:
        if (status_.load(std::memory_order_relaxed) & status_features_ok)
            ++errors_.order;
        else if (registers_.driver_features_select == 0)
            set_low(registers_.accepted, value);
        else if (registers_.driver_features_select == 1)
            set_high(registers_.accepted, value);
        else if (value != 0)
            ++errors_.features;
        return;
    case queue_sel:
        registers_.queue_select = value;
        return;
    case device_status:
        set_status(value);
        return;
    case shm_sel:
        return;  // no device has such a region
    default:
        write_queue_register(offset, value);
    }
}

Mmio::QueueRegisters* Mmio::selected() noexcept
{
    return registers_.queue_select < registers_.queues.size()
               ? &registers_.queues[registers_.queue_select]
               : nullptr;
}

void Mmio::write_queue_register(uint64_t offset, uint32_t value) noexcept
{
    QueueRegisters* const queue = selected();
    if (!queue) {
        ++errors_.access;
        return;
    }
    if (offset == queue_ready) {
        set_queue_ready(value & 1);
        return;
    }
    if (offset == queue_reset) {
        if (!(registers_.accepted & feature_ring_reset) || !(value & 1)) {
            ++errors_.order;
            return;
        }
        device_.disable_queue(static_cast<uint16_t>(registers_.queue_select));
        *queue = {};
        return;
    }
    if (queue->ready) {
        ++errors_.order;  // 4.2.2.2: not while the queue is in use
        return;
    }
    QueueLayout& layout = queue->layout;
    switch (offset) {
    case queue_size:
        // What is too large for the type must not come out as something valid.
        layout.size = value <= queue_size_max_ ? static_cast<uint16_t>(value) : 0;
        break;
    case queue_desc_low:
        set_low(layout.descriptors, value);
        break;
    case queue_desc_high:
        set_high(layout.descriptors, value);
        break;
    case queue_driver_low:
        set_low(layout.driver, value);
        break;
    case queue_driver_high:
        set_high(layout.driver, value);
        break;
    case queue_device_low:
        set_low(layout.device, value);
        break;
    case queue_device_high:
        set_high(layout.device, value);
        break;
    default:
        ++errors_.access;
    }
}

void Mmio::set_queue_ready(bool ready) noexcept
{
    QueueRegisters& queue = registers_.queues[registers_.queue_select];
    if (ready == queue.ready)
        return;
    if (!ready) {
        device_.disable_queue(static_cast<uint16_t>(registers_.queue_select));
        queue.ready = false;
        return;
    }
    if (!(status_.load(std::memory_order_relaxed) & status_features_ok)) {
        ++errors_.order;  // 3.1.1: queues are set up after the features
        return;
    }
    if (!device_.enable_queue(static_cast<uint16_t>(registers_.queue_select), queue.layout)) {
        ++errors_.queues;
        needs_reset();
        return;
    }
    queue.ready = true;
}

bool Mmio::accept_features() noexcept
{
    // 6.1: a version 2 transport works with VERSION_1 drivers alone.
    const bool good = (registers_.accepted & ~offered_) == 0 &&
                      (registers_.accepted & feature_version_1) &&
                      device_.set_features(registers_.accepted);
    if (!good)
        ++errors_.features;
    return good;
}

// 2.1.1: the driver sets bits one after the other, and clears them all by
// writing 0.
void Mmio::set_status(uint32_t value) noexcept
{
    if (value == 0) {
        reset_locked();
        return;
    }
    const uint32_t before = status_.load(std::memory_order_acquire);
    // NEEDS_RESET is the device's own bit: writing it is not the driver's part,
    // leaving it out does not clear it.
    uint32_t set = value & ~before & 0xff & ~status_needs_reset;
    if ((before & ~value & ~status_needs_reset) != 0)
        ++errors_.order;
    if ((set & status_features_ok) && !accept_features())
        set &= ~status_features_ok;  // the driver reads back that it is not set
    if ((set & status_driver_ok) && !((before | set) & status_features_ok)) {
        ++errors_.order;
        set &= ~status_driver_ok;
    }
    status_.fetch_or(set, std::memory_order_acq_rel);
    if ((set & status_driver_ok) && !(value & status_failed))
        device_.start();
}

void Mmio::reset() noexcept
{
    const std::lock_guard lock(mutex_);
    reset_locked();
}

void Mmio::reset_locked() noexcept
{
    device_.reset();
    // Nothing of the device runs any more, so nobody sets the bits again.
    status_.store(0, std::memory_order_release);
    interrupts_.store(0, std::memory_order_release);
    std::fill(registers_.queues.begin(), registers_.queues.end(), QueueRegisters{});
    registers_.accepted = 0;
    registers_.device_features_select = registers_.driver_features_select = 0;
    registers_.queue_select = 0;
}

std::unique_ptr<Mmio::State> Mmio::save()
{
    const std::lock_guard lock(mutex_);
    auto device = device_.save();
    if (!device)
        return nullptr;
    return std::make_unique<State>(State{status_.load(), interrupts_.load(), generation_.load(),
                                         registers_, std::move(device)});
}

void Mmio::restore(const State& state) noexcept
{
    const std::lock_guard lock(mutex_);
    device_.restore(*state.device);
    status_.store(state.status, std::memory_order_release);
    interrupts_.store(state.interrupts, std::memory_order_release);
    generation_.store(state.generation, std::memory_order_release);
    registers_ = state.registers;
}

}  // namespace lkl::virtio
