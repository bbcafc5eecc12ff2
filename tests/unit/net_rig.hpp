// SPDX-License-Identifier: GPL-2.0-only
// A network device with a driver and a back end that tests hold the strings of.
#pragma once

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <lkl/packet.hpp>
#include <virtio/net/device.hpp>
#include <virtio/net/header.hpp>

#include "fake_driver.hpp"

namespace lkl::test {

using Bytes = std::vector<std::byte>;

inline Bytes pattern(size_t size, unsigned seed = 1)
{
    Bytes bytes(size);
    for (std::byte& byte : bytes)
        byte = static_cast<std::byte>(seed = seed * 1103515245 + 12345);
    return bytes;
}

// Keeps what was sent, and gives what it was told to.
class FakeNet final : public NetBackend {
public:
    explicit FakeNet(NetInfo wanted) : wanted_info(std::move(wanted)) {}

    NetInfo info() const override { return wanted_info; }
    int poll_fd(unsigned) const noexcept override { return descriptor; }
    void set_receive_offload(uint32_t offload) noexcept override { receive_offload = offload; }
    void set_queue_pairs(unsigned count) noexcept override { queue_pairs = count; }
    void start(NetEvents& now) noexcept override { events = &now; }
    void stop() noexcept override { events = nullptr; }
    void forget(unsigned) noexcept override { ++forgotten; }

    size_t transmit(unsigned, std::span<const NetPacket> packets) noexcept override
    {
        size_t done = 0;
        for (const NetPacket& packet : packets) {
            if (room == 0)
                break;
            --room;
            Bytes bytes;
            for (const iovec& part : packet) {
                const auto* from = static_cast<const std::byte*>(part.iov_base);
                bytes.insert(bytes.end(), from, from + part.iov_len);
            }
            sent.push_back(std::move(bytes));
            ++done;
        }
        return done;
    }

    ssize_t receive(unsigned, std::span<const iovec> into) noexcept override
    {
        if (error != 0)
            return error;
        if (waiting.empty())
            return 0;
        const Bytes packet = std::move(waiting.front());
        waiting.pop_front();
        size_t done = 0;
        for (const iovec& part : into) {
            const size_t length = std::min(part.iov_len, packet.size() - done);
            std::memcpy(part.iov_base, packet.data() + done, length);
            done += length;
        }
        return done == packet.size() ? static_cast<ssize_t>(done) : -EMSGSIZE;
    }

    const NetInfo wanted_info;
    std::vector<Bytes> sent;
    std::deque<Bytes> waiting;
    size_t room = ~size_t{0};  // packets that it takes
    int error = 0;
    unsigned forgotten = 0;
    unsigned queue_pairs = 0;
    uint32_t receive_offload = 0;
    NetEvents* events = nullptr;
    int descriptor = -1;
};

class NetRig {
public:
    static constexpr uint16_t receive_queue = 0;
    static constexpr uint16_t transmit_queue = 1;

    explicit NetRig(NetInfo info = {}, virtio::NetDeviceOptions options = {},
                    uint64_t memory = 8 << 20)
        : arena(memory), net(new FakeNet(std::move(info))), device(take(), arena.memory(), options)
    {
    }

    // Brings the device up with what it offers, but for `without`.
    void start(uint64_t without = 0, uint16_t queue_size = 32)
    {
        ASSERT_TRUE(driver.negotiate(driver.offered() & ~without));
        queues.clear();
        for (uint16_t i = 0; i < device.queue_count(); ++i) {
            queues.push_back(driver.make_queue(i, queue_size));
            ASSERT_TRUE(queues.back()) << i;
        }
        driver.add_status(mmio::driver_ok);
        for (const auto& queue : queues)
            queue->enable_interrupts();
    }

    // Makes a chain available, and notifies as Linux does.
    std::optional<uint16_t> submit(uint16_t queue, std::span<const Buffer> buffers)
    {
        const auto head = queues[queue]->add(buffers);
        if (head && queues[queue]->must_kick())
            driver.kick(queue);
        return head;
    }

    uint64_t put(const void* data, size_t size)
    {
        const uint64_t address = arena.allocate(size);
        std::memcpy(arena.at(address), data, size);
        return address;
    }

    // Sends one packet, its header and frame in one buffer.
    void send(const virtio::NetHeader& header, const Bytes& frame)
    {
        Bytes all(sizeof header);
        std::memcpy(all.data(), &header, sizeof header);
        all.insert(all.end(), frame.begin(), frame.end());
        const Buffer buffer{put(all.data(), all.size()), static_cast<uint32_t>(all.size()), false};
        ASSERT_TRUE(submit(transmit_queue, {{buffer}}));
    }

    // Gives the device room to receive into.
    uint64_t offer(uint32_t size)
    {
        const Buffer buffer{arena.allocate(size), size, true};
        EXPECT_TRUE(submit(receive_queue, {{buffer}}));
        return buffer.address;
    }

    bool needs_reset() { return (driver.status() & mmio::needs_reset) != 0; }

    Arena arena;
    FakeNet* net;
    virtio::NetDevice device;
    CountingLine line;
    Mmio mmio{device, line};
    FakeDriver driver{mmio, arena};
    std::vector<std::unique_ptr<FakeQueue>> queues;

private:
    std::unique_ptr<NetBackend> take() { return std::unique_ptr<NetBackend>(net); }
};

}  // namespace lkl::test
