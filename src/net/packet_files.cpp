// SPDX-License-Identifier: GPL-2.0-only
#include <net/packet_files.hpp>

#include <cerrno>

namespace lkl::net {

// Who refuses a packet has lost it: a link that is down, an address that nobody has.
size_t PacketFiles::transmit(unsigned queue, std::span<const NetPacket> packets) noexcept
{
    const int fd = files_[queue].get();
    for (size_t i = 0; i < packets.size();) {
        const ssize_t result = ::writev(fd, packets[i].data(), static_cast<int>(packets[i].size()));
        if (result < 0 && errno == EAGAIN)
            return i;
        if (result < 0 && errno == EINTR)
            continue;
        if (result < 0)
            refused_.fetch_add(1, std::memory_order_relaxed);
        ++i;
    }
    return packets.size();
}

ssize_t PacketFiles::receive(unsigned queue, std::span<const iovec> into) noexcept
{
    for (;;) {
        const ssize_t result =
            ::readv(files_[queue].get(), into.data(), static_cast<int>(into.size()));
        if (result > 0)
            return result;
        if (result == 0)
            return -EPIPE;  // the other end is closed
        switch (errno) {
        case EINTR:
        case ENETDOWN:      // packet(7): said once, when the interface goes down
        case ECONNREFUSED:  // nobody is there at present
            continue;
        case EAGAIN:
            return 0;
        default:
            return -errno;
        }
    }
}

}  // namespace lkl::net
