// SPDX-License-Identifier: GPL-2.0-only
// Back ends of a stream of bytes: each packet has its length before it, of 4 bytes, big
// endian.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <lkl/packet.hpp>

#include <platform/posix/descriptor.hpp>

namespace lkl::net {

class StreamLink : public NetBackend {
public:
    // Neither descriptor blocks; they may be of the same socket.
    StreamLink(NetInfo info, posix::Descriptor input, posix::Descriptor output);

    NetInfo info() const override { return info_; }
    size_t transmit(unsigned queue, std::span<const NetPacket> packets) noexcept override;
    ssize_t receive(unsigned queue, std::span<const iovec> into) noexcept override;
    void forget(unsigned queue) noexcept override;
    int poll_fd(unsigned) const noexcept override { return input_.get(); }
    int write_fd(unsigned) const noexcept override { return output_.get(); }
    uint64_t refused() const noexcept override { return refused_.load(std::memory_order_relaxed); }

private:
    bool send(std::span<const iovec> packet, size_t length) noexcept;
    bool finish_old() noexcept;
    ssize_t refill() noexcept;

    const NetInfo info_;
    const posix::Descriptor input_;
    const posix::Descriptor output_;

    std::atomic<uint64_t> refused_{0};

    // The packet that is under way: it comes again with the next transmit().
    size_t sent_ = 0;    // bytes of it, with its length
    size_t length_ = 0;  // bytes that it has, with its length
    size_t owed_ = 0;    // of one that will not come again
    std::array<iovec, max_elements + 1> whole_;
    std::array<iovec, max_elements + 1> rest_;

    // What was read and not taken.
    std::vector<std::byte> buffer_;
    size_t first_ = 0, last_ = 0;
    size_t skip_ = 0;  // bytes of a packet that nobody wants
};

}  // namespace lkl::net
