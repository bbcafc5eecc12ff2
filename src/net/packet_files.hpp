// SPDX-License-Identifier: GPL-2.0-only
// Back ends of descriptors of which each read(2) and write(2) is one packet: tap
// interfaces and sockets.
#pragma once

#include <atomic>
#include <vector>

#include <lkl/packet.hpp>

#include <platform/posix/descriptor.hpp>

namespace lkl::net {

// One descriptor a queue, none of which blocks.
class PacketFiles : public NetBackend {
public:
    PacketFiles(NetInfo info, std::vector<posix::Descriptor> files)
        : info_(std::move(info)), files_(std::move(files))
    {
    }

    NetInfo info() const override { return info_; }
    size_t transmit(unsigned queue, std::span<const NetPacket> packets) noexcept override;
    ssize_t receive(unsigned queue, std::span<const iovec> into) noexcept override;
    int poll_fd(unsigned queue) const noexcept override { return files_[queue].get(); }
    uint64_t refused() const noexcept override { return refused_.load(std::memory_order_relaxed); }

protected:
    const NetInfo info_;
    const std::vector<posix::Descriptor> files_;

private:
    std::atomic<uint64_t> refused_{0};
};

}  // namespace lkl::net
