// SPDX-License-Identifier: GPL-2.0-only
#include "capi/callback_net.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <pthread.h>

#include <lkl/asm/errno.h>

#include <platform/posix/thread.hpp>

namespace lkl::capi {

namespace {

constexpr uint8_t header_length = 12;

class CallbackNet final : public NetBackend {
public:
    explicit CallbackNet(lkl_netdev& device) : device_(device)
    {
        info_.name = "of the program";
        std::copy(std::begin(device.mac), std::end(device.mac), info_.mac.bytes.begin());
        if (device.has_vnet_hdr) {
            info_.header = header_length;
            info_.transmit_offload = info_.receive_offload = NetOffload::all;
        }
    }
    ~CallbackNet() override { stop(); }

    NetInfo info() const override { return info_; }

    // Without a thread the device sends, but hears of nothing.
    void start(NetEvents& events) noexcept override
    {
        events_ = &events;
        const auto function = [](void* self) -> void* {
            static_cast<CallbackNet*>(self)->work();
            return nullptr;
        };
        running_ = posix::start_thread(thread_, "lkl-net", function, this) == 0;
    }

    void stop() noexcept override
    {
        if (!running_)
            return;
        device_.ops->poll_hup(&device_);
        pthread_join(thread_, nullptr);
        running_ = false;
    }

    size_t transmit(unsigned, std::span<const NetPacket> packets) noexcept override
    {
        for (size_t i = 0; i < packets.size(); ++i) {
            if (device_.ops->tx(&device_, packets[i].data(), static_cast<int>(packets[i].size())) <
                0)
                return i;
        }
        return packets.size();
    }

    ssize_t receive(unsigned, std::span<const iovec> into) noexcept override
    {
        // The functions get elements that they may change.
        std::copy(into.begin(), into.end(), elements_.begin());
        const int length =
            device_.ops->rx(&device_, elements_.data(), static_cast<int>(into.size()));
        return std::max(length, 0);
    }

private:
    void work() noexcept
    {
        for (;;) {
            const int found = device_.ops->poll(&device_);
            if (found < 0 || (found & LKL_DEV_NET_POLL_HUP))
                return;
            if (found & LKL_DEV_NET_POLL_TX)
                events_->writable(0);
            if (found & LKL_DEV_NET_POLL_RX)
                events_->readable(0);
        }
    }

    lkl_netdev& device_;
    NetInfo info_;
    NetEvents* events_ = nullptr;
    pthread_t thread_{};
    bool running_ = false;
    std::array<iovec, NetBackend::max_elements> elements_;  // receive()'s
};

}  // namespace

Result<std::unique_ptr<NetBackend>> make_callback_net(lkl_netdev& device)
{
    const lkl_dev_net_ops* ops = device.ops;
    if (!ops || !ops->tx || !ops->rx || !ops->poll || !ops->poll_hup)
        return Error{EINVAL, "add network device: one of tx, rx, poll and poll_hup is missing"};
    return std::unique_ptr<NetBackend>(std::make_unique<CallbackNet>(device));
}

}  // namespace lkl::capi
