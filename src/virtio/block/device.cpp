// SPDX-License-Identifier: GPL-2.0-only
#include <virtio/block/device.hpp>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <limits>

#include <virtio/block/back_end_wait.hpp>

namespace lkl::virtio {

namespace {

// 5.2.3, feature bits.
constexpr uint64_t feature_seg_max = 1ull << 2;
constexpr uint64_t feature_read_only = 1ull << 5;
constexpr uint64_t feature_block_size = 1ull << 6;
constexpr uint64_t feature_flush = 1ull << 9;
constexpr uint64_t feature_topology = 1ull << 10;
constexpr uint64_t feature_config_wce = 1ull << 11;
constexpr uint64_t feature_queues = 1ull << 12;
constexpr uint64_t feature_discard = 1ull << 13;
constexpr uint64_t feature_write_zeroes = 1ull << 14;

// 5.2.4, offsets in struct virtio_blk_config.
constexpr size_t config_capacity = 0;
constexpr size_t config_seg_max = 12;
constexpr size_t config_block_size = 20;
constexpr size_t config_physical_exponent = 24;
constexpr size_t config_minimum_io = 26;
constexpr size_t config_optimal_io = 28;
constexpr size_t config_write_back = 32;
constexpr size_t config_queues = 34;
constexpr size_t config_max_discard_sectors = 36;
constexpr size_t config_max_discard_ranges = 40;
constexpr size_t config_discard_alignment = 44;
constexpr size_t config_max_zeroes_sectors = 48;
constexpr size_t config_max_zeroes_ranges = 52;
constexpr size_t config_zeroes_may_unmap = 56;

// A chain is header, data and status.
constexpr uint32_t max_segments = Queue::max_chain - 2;

template <typename T>
T saturate(uint64_t value)
{
    return static_cast<T>(std::min<uint64_t>(value, std::numeric_limits<T>::max()));
}

// A flush of the device's own.
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): final, never deleted as its base
class Flush final : public BlockRequest {
public:
    Flush() { op = BlockOp::flush; }

    // With the lock held to the end: then the request may be gone.
    void complete(int result) noexcept override
    {
        const std::lock_guard lock(mutex_);
        result_ = result;
        done_ = true;
        completed_.notify_one();
    }

    template <typename Reap>
    int wait(const BlockBackend& backend, Reap reap) noexcept
    {
        std::unique_lock lock(mutex_);
        wait_for_completions(
            backend, lock, completed_, [this] { return done_; }, reap);
        return result_;
    }

private:
    std::mutex mutex_;
    std::condition_variable completed_;
    bool done_ = false;
    int result_ = 0;
};

}  // namespace

BlockDevice::BlockDevice(std::unique_ptr<BlockBackend> backend, GuestMemory memory,
                         const BlockDeviceOptions& options)
    : backend_(std::move(backend)), queue_size_(options.queue_size)
{
    const BlockInfo info = backend_->info();
    serial_ = info.serial;
    volatile_cache_ = info.flush;
    limits_.capacity = info.capacity & ~(sector_size - 1);
    limits_.read_only = info.read_only;

    features_ = feature_seg_max | feature_block_size | feature_topology;
    if (info.read_only)
        features_ |= feature_read_only;
    if (info.flush)
        features_ |= feature_flush | feature_config_wce;
    if (options.queues > 1)
        features_ |= feature_queues;
    if (info.discard && !info.read_only)
        features_ |= feature_discard;
    if (info.write_zeroes && !info.read_only)
        features_ |= feature_write_zeroes;
    build_config(info, options.queues);

    for (uint16_t i = 0; i < std::max<uint16_t>(options.queues, 1); ++i)
        queues_.push_back(
            std::make_unique<RequestQueue>(memory, *backend_, unflushed_, [this] { reap(); }));
}

BlockDevice::~BlockDevice()
{
    reset();
}

// The fields are always filled; the driver reads those whose features exist.
void BlockDevice::build_config(const BlockInfo& info, uint16_t queues)
{
    const auto put = [this](size_t offset, auto value) {
        std::memcpy(&config_[offset], &value, sizeof value);
    };
    const uint64_t block = info.logical_block_size;
    const uint64_t physical = std::max<uint64_t>(info.physical_block_size, block);
    put(config_capacity, limits_.capacity / sector_size);
    put(config_seg_max, max_segments);
    put(config_block_size, info.logical_block_size);
    put(config_physical_exponent, static_cast<uint8_t>(std::countr_zero(physical / block)));
    put(config_minimum_io, saturate<uint16_t>(info.minimum_io_size / block));
    put(config_optimal_io, saturate<uint32_t>(info.optimal_io_size / block));
    put(config_queues, queues);
    put(config_max_discard_sectors, static_cast<uint32_t>(max_discard / sector_size));
    put(config_max_discard_ranges, uint32_t{1});
    put(config_discard_alignment,
        saturate<uint32_t>(std::max(info.discard_granularity, block) / sector_size));
    put(config_max_zeroes_sectors, static_cast<uint32_t>(max_write_zeroes / sector_size));
    put(config_max_zeroes_ranges, uint32_t{1});
    put(config_zeroes_may_unmap, uint8_t{1});
}

uint16_t BlockDevice::queue_count() const noexcept
{
    return static_cast<uint16_t>(queues_.size());
}

bool BlockDevice::set_features(uint64_t features) noexcept
{
    accepted_ = features;
    const std::lock_guard lock(submit_mutex_);  // of a notification that came too late
    limits_.discard = (features & feature_discard) != 0;
    limits_.write_zeroes = (features & feature_write_zeroes) != 0;
    // 5.2.5.2, 5.2.6.2: a driver that cannot flush gets a cache that writes through.
    write_back_ = (features & feature_flush) != 0;
    return true;
}

void BlockDevice::read_config(uint64_t offset, std::span<std::byte> to) noexcept
{
    for (std::byte& byte : to) {
        byte = {};
        if (offset < config_.size())
            byte = offset == config_write_back ? std::byte{write_back_.load()} : config_[offset];
        ++offset;
    }
}

void BlockDevice::write_config(uint64_t offset, std::span<const std::byte> from) noexcept
{
    if (offset == config_write_back && from.size() == 1 && (accepted_ & feature_config_wce))
        set_write_back(from[0] != std::byte{0});
}

// 5.2.6.2: what was written while the cache was on is not stable before a flush, and a driver
// that sees it off (Linux: cache_type_store()) sends none. From here on writes are durable by
// themselves; those before are flushed here.
void BlockDevice::set_write_back(bool on) noexcept
{
    {
        const std::lock_guard lock(submit_mutex_);  // of a notification that is being served
        write_back_ = on;
    }
    if (on)
        return;
    drain();
    if (flush() != 0)
        write_back_ = true;
}

// A back end that does not know flushes has nothing that could be lost.
int BlockDevice::flush() noexcept
{
    if (!volatile_cache_ || !unflushed_.any())
        return 0;
    const uint64_t changes = unflushed_.changes();
    Flush request;
    {
        const std::lock_guard lock(submit_mutex_);
        BlockRequest* const one = &request;
        backend_->submit({&one, 1});
    }
    const int result = request.wait(*backend_, [this] { reap(); });
    if (result != 0 && result != -EOPNOTSUPP)
        return result;
    unflushed_.flushed(changes);
    return 0;
}

bool BlockDevice::enable_queue(uint16_t index, const QueueLayout& layout) noexcept
{
    return queues_[index]->enable(layout, (accepted_ & feature_indirect) != 0,
                                  (accepted_ & feature_event_index) != 0);
}

void BlockDevice::disable_queue(uint16_t index) noexcept
{
    queues_[index]->disable();
}

// The driver may have filled queues before it was ready; 3.1.1 forbids to look at
// them earlier.
void BlockDevice::start() noexcept
{
    started_ = true;
    for (uint16_t i = 0; i < queue_count(); ++i)
        notify(i);
}

void BlockDevice::notify(uint16_t index) noexcept
{
    if (index >= queues_.size()) {
        bad_notifications_.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    if (!started_)
        return;
    const std::lock_guard lock(submit_mutex_);
    BlockLimits limits = limits_;
    limits.write_through = volatile_cache_ && !write_back_.load(std::memory_order_relaxed);
    queues_[index]->serve(limits, serial_, *notifier_);
}

size_t BlockDevice::reap() noexcept
{
    const std::lock_guard lock(reap_mutex_);
    for (const auto& queue : queues_)
        queue->hold();
    const size_t count = backend_->reap();
    for (const auto& queue : queues_)
        queue->release();
    return count;
}

void BlockDevice::drain() noexcept
{
    for (const auto& queue : queues_)
        queue->drain();
}

void BlockDevice::reset() noexcept
{
    started_ = false;
    for (const auto& queue : queues_)
        queue->disable();
    accepted_ = 0;
    write_back_ = true;
}

namespace {

struct BlockState final : DeviceState {
    uint64_t accepted = 0;
    BlockLimits limits;
    bool write_back = false;
    bool started = false;
    std::vector<RequestQueue::State> queues;
};

}  // namespace

std::unique_ptr<DeviceState> BlockDevice::save()
{
    if (!limits_.read_only && !backend_->keep_contents())
        return nullptr;
    auto state = std::make_unique<BlockState>();
    state->accepted = accepted_;
    state->limits = limits_;
    state->write_back = write_back_;
    state->started = started_;
    for (const auto& queue : queues_)
        state->queues.push_back(queue->save());
    return state;
}

void BlockDevice::restore(const DeviceState& state) noexcept
{
    const auto& saved = static_cast<const BlockState&>(state);
    accepted_ = saved.accepted;
    limits_ = saved.limits;
    write_back_ = saved.write_back;
    started_ = saved.started;
    for (size_t i = 0; i < queues_.size(); ++i)
        queues_[i]->restore(saved.queues[i]);
    if (!limits_.read_only) {
        backend_->restore_contents();
        unflushed_.changed();
    }
}

BlockStatistics BlockDevice::statistics() const noexcept
{
    BlockStatistics sum;
    for (const auto& queue : queues_)
        queue->add_statistics(sum);
    sum.bad_notifications = bad_notifications_.load(std::memory_order_relaxed);
    return sum;
}

}  // namespace lkl::virtio
