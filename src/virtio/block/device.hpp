// SPDX-License-Identifier: GPL-2.0-only
// The virtio block device (VIRTIO 1.2, section 5.2).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <lkl/block.hpp>
#include <virtio/block/request_queue.hpp>
#include <virtio/block/unflushed.hpp>
#include <virtio/device.hpp>

namespace lkl::virtio {

struct BlockDeviceOptions {
    uint16_t queues = 4;        // offered; Linux uses at most one per CPU
    uint16_t queue_size = 256;  // a power of two, at most Queue::max_size
};

// Serves a disk whose bytes are in a back end.
//
// Threads: besides the rules of Device, any thread may call poll_fd(), reap(),
// drain() and statistics() at any time.
//
// Requests in flight write to the memory and call the notifier; reset(), and so
// the end of the transport, waits for them. The memory must last until then.
class BlockDevice final : public Device, private posix::EventSource {
public:
    BlockDevice(std::unique_ptr<BlockBackend> backend, GuestMemory memory,
                const BlockDeviceOptions& options = {});
    ~BlockDevice() override;
    BlockDevice(const BlockDevice&) = delete;
    BlockDevice& operator=(const BlockDevice&) = delete;

    uint32_t id() const noexcept override { return 2; }
    uint64_t features() const noexcept override { return features_; }
    uint16_t queue_count() const noexcept override;
    uint16_t queue_size_max() const noexcept override { return queue_size_; }
    std::vector<posix::EventSource*> sources() noexcept override { return {this}; }
    void attach(Notifier& notifier) noexcept override { notifier_ = &notifier; }
    bool set_features(uint64_t features) noexcept override;
    void read_config(uint64_t offset, std::span<std::byte> to) noexcept override;
    // Turning the cache off waits for what is in flight and for a flush. When that fails the
    // cache stays on, as the driver reads: it goes on flushing.
    void write_config(uint64_t offset, std::span<const std::byte> from) noexcept override;
    bool enable_queue(uint16_t index, const QueueLayout& layout) noexcept override;
    void disable_queue(uint16_t index) noexcept override;
    void start() noexcept override;
    void notify(uint16_t index) noexcept override;
    void reset() noexcept override;
    int flush() noexcept override;
    bool saveable() const noexcept override { return true; }
    std::unique_ptr<DeviceState> save() override;
    void restore(const DeviceState& state) noexcept override;
    void forget() noexcept override { backend_->forget_contents(); }

    // A descriptor that polls readable while reap() has work, or -1: the back end
    // completes by itself.
    int poll_fd() const noexcept override { return backend_->poll_fd(); }
    // Completes what the back end has finished, with one interrupt. Does not wait
    // for the host. Returns how many.
    size_t reap() noexcept;

    // Waits until nothing is in flight. It keeps waiting while the driver keeps
    // submitting.
    void drain() noexcept override;

    BlockStatistics statistics() const noexcept;

    uint64_t capacity() const noexcept { return limits_.capacity; }  // bytes; never changes

private:
    void ready() noexcept override { reap(); }
    void build_config(const BlockInfo& info, uint16_t queues);
    void set_write_back(bool on) noexcept;

    // Bytes of struct virtio_blk_config up to and with write_zeroes_may_unmap.
    static constexpr size_t config_size = 60;

    const std::unique_ptr<BlockBackend> backend_;
    Unflushed unflushed_;
    const uint16_t queue_size_;
    std::string serial_;
    uint64_t features_ = 0;  // offered
    std::array<std::byte, config_size> config_{};
    Notifier* notifier_ = nullptr;

    // Written while no queue is enabled, but for write_back_.
    uint64_t accepted_ = 0;
    BlockLimits limits_;
    bool volatile_cache_ = false;
    std::atomic<bool> write_back_{true};
    std::atomic<bool> started_{false};
    std::atomic<uint64_t> bad_notifications_{0};

    std::mutex submit_mutex_;  // the back end's submit() is called by one at a time
    std::mutex reap_mutex_;    // and so is its reap()
    std::vector<std::unique_ptr<RequestQueue>> queues_;
};

}  // namespace lkl::virtio
