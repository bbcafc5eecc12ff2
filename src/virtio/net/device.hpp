// SPDX-License-Identifier: GPL-2.0-only
// The virtio network device (VIRTIO 1.2, section 5.1).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include <lkl/packet.hpp>
#include <virtio/device.hpp>
#include <virtio/net/control_queue.hpp>
#include <virtio/net/receive_queue.hpp>
#include <virtio/net/transmit_queue.hpp>

namespace lkl::virtio {

struct NetDeviceOptions {
    MacAddress mac{};                             // all zero: the back end's, or a random one
    uint16_t mtu = 0;                             // 0: the back end's
    uint16_t queue_size = 256;                    // a power of two, at most Queue::max_size
    uint32_t transmit_offload = NetOffload::all;  // of what the back end offers
    uint32_t receive_offload = NetOffload::all;
    bool mergeable = true;  // receive buffers: the driver need not post large ones
};

// Serves a network interface whose packets go through a back end.
//
// Threads: besides the rules of Device, any thread may call set_link() and statistics()
// at any time. Nothing is in flight between the calls: packets that the back end has not
// taken wait in the driver's memory, and so do those that are left to the thread that
// watches the descriptors (docs/decisions/0006).
class NetDevice final : public Device, private NetCommands, private NetEvents {
public:
    NetDevice(std::unique_ptr<NetBackend> backend, GuestMemory memory,
              const NetDeviceOptions& options = {});
    ~NetDevice() override;
    NetDevice(const NetDevice&) = delete;
    NetDevice& operator=(const NetDevice&) = delete;

    uint32_t id() const noexcept override { return 1; }
    uint64_t features() const noexcept override { return features_; }
    uint16_t queue_count() const noexcept override;
    uint16_t queue_size_max() const noexcept override { return queue_size_; }
    std::vector<posix::EventSource*> sources() noexcept override;
    void attach(Notifier& notifier) noexcept override { notifier_ = &notifier; }
    bool set_features(uint64_t features) noexcept override;
    void read_config(uint64_t offset, std::span<std::byte> to) noexcept override;
    void write_config(uint64_t, std::span<const std::byte>) noexcept override {}
    bool enable_queue(uint16_t index, const QueueLayout& layout) noexcept override;
    void disable_queue(uint16_t index) noexcept override;
    void start() noexcept override;
    void notify(uint16_t index) noexcept override;
    void reset() noexcept override;

    // Of the cable too: it is as it was at the snapshot.
    bool saveable() const noexcept override { return backend_->restorable(); }
    void hold() noexcept override;
    void release() noexcept override;
    void drain() noexcept override;
    std::unique_ptr<DeviceState> save() override;
    void restore(const DeviceState& state) noexcept override;

    // Plugs the cable in or out; it is in at first. Packets get lost while it is out.
    void set_link(bool up) noexcept;

    NetStatistics statistics() const noexcept;

private:
    // A pair of queues.
    struct Pair {
        // Packets that a watcher sends before it looks after other things.
        static constexpr size_t watcher_budget = 64;

        Pair(NetDevice& owner, GuestMemory memory, unsigned index, uint8_t header);
        // Both do nothing unless the device is started.
        ReceiveQueue::Outcome receive() noexcept;
        void transmit(size_t enough = 0) noexcept;  // see TransmitQueue::serve()
        void changed() noexcept;

        // The descriptors of the host that belong to it.
        // NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): never deleted as its base
        struct Input final : posix::EventSource {
            explicit Input(Pair& owner) : pair(owner) {}
            int poll_fd() const noexcept override;
            short events() const noexcept override;
            bool pending() const noexcept override { return more && events() != 0; }
            void ready() noexcept override { pair.receive(); }
            void changed() noexcept { events_changed(); }

            Pair& pair;
            std::atomic<bool> more{false};  // the back end may have packets
        };
        // NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): never deleted as its base
        struct Output final : posix::EventSource {
            explicit Output(Pair& owner) : pair(owner) {}
            int poll_fd() const noexcept override;
            short events() const noexcept override;
            bool pending() const noexcept override { return left && pair.device.started_; }
            void ready() noexcept override { pair.transmit(watcher_budget); }
            void changed() noexcept { events_changed(); }
            // Leaves what the driver has made available to the watcher, when it comes
            // densely from a kernel that is never idle. False: it is the caller's.
            // The driver's thread.
            bool leave() noexcept;

            Pair& pair;
            std::atomic<bool> left{false};  // before events_changed()
            // The driver's: since the kernel was idle, or did not notify for a while.
            unsigned notifications = 0;
            uint64_t last_notification = 0;  // monotonic, ns
            uint64_t idle_times_seen = 0;
        };

        bool active() const noexcept;

        NetDevice& device;
        const unsigned index;
        ReceiveQueue receive_queue;
        TransmitQueue transmit_queue;
        Input input{*this};
        Output output{*this};
    };

    bool set_queue_pairs(uint16_t count) noexcept override;
    bool set_guest_offloads(uint64_t features) noexcept override;
    bool readable(unsigned queue) noexcept override;
    void writable(unsigned queue) noexcept override;

    uint16_t control_index() const noexcept;
    bool link() const noexcept { return link_.load() && !ended_.load(); }

    const std::unique_ptr<NetBackend> backend_;
    const NetInfo info_;
    const uint16_t queue_size_;
    const uint16_t mtu_;
    uint64_t features_ = 0;  // offered
    MacAddress mac_{};
    Notifier* notifier_ = nullptr;

    std::atomic<uint64_t> accepted_{0};  // changed while the device is not started
    std::atomic<uint32_t> transmit_offload_{0};
    std::atomic<uint32_t> receive_offload_{0};
    std::atomic<uint16_t> active_pairs_{1};
    std::atomic<bool> link_{true};
    std::atomic<bool> ended_{false};  // the back end's word
    std::atomic<bool> started_{false};
    std::atomic<uint64_t> bad_notifications_{0};

    std::vector<std::unique_ptr<Pair>> pairs_;
    ControlQueue control_;
};

}  // namespace lkl::virtio
