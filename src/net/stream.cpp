// SPDX-License-Identifier: GPL-2.0-only
#include <net/stream.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <sys/socket.h>

namespace lkl::net {

namespace {

using Length = uint32_t;

// Several of the longest packets.
constexpr size_t buffer_size = 256 << 10;
constexpr size_t longest = 64 << 10;

// Leaves the first `done` bytes out. Returns how many elements there are.
size_t rest_of(std::span<const iovec> from, size_t done, std::span<iovec> to)
{
    size_t count = 0;
    for (const iovec& element : from) {
        if (done >= element.iov_len) {
            done -= element.iov_len;
            continue;
        }
        to[count++] = {static_cast<std::byte*>(element.iov_base) + done, element.iov_len - done};
        done = 0;
    }
    return count;
}

// As write(2), without SIGPIPE: fifos are open for reading as well.
ssize_t write_some(int fd, std::span<iovec> data)
{
    msghdr message{};
    message.msg_iov = data.data();
    message.msg_iovlen = data.size();
    const ssize_t result = ::sendmsg(fd, &message, MSG_NOSIGNAL);
    if (result < 0 && errno == ENOTSOCK)
        return ::writev(fd, data.data(), static_cast<int>(data.size()));
    return result;
}

}  // namespace

StreamLink::StreamLink(NetInfo info, posix::Descriptor input, posix::Descriptor output)
    : info_(std::move(info)),
      input_(std::move(input)),
      output_(std::move(output)),
      buffer_(buffer_size)
{
}

// The stream must not be torn apart.
void StreamLink::forget(unsigned) noexcept
{
    owed_ += sent_ != 0 ? length_ - sent_ : 0;
    sent_ = length_ = 0;
}

bool StreamLink::finish_old() noexcept
{
    static std::array<std::byte, 4096> zeroes{};
    while (owed_ != 0) {
        iovec part{zeroes.data(), std::min(owed_, zeroes.size())};
        const ssize_t result = write_some(output_.get(), {&part, 1});
        if (result < 0 && errno == EINTR)
            continue;
        if (result < 0)
            return errno != EAGAIN;
        owed_ -= static_cast<size_t>(result);
    }
    return true;
}

// False: the stream is full. A stream that has ended takes everything.
bool StreamLink::send(std::span<const iovec> packet, size_t length) noexcept
{
    Length prefix = htonl(static_cast<Length>(length));
    whole_[0] = {&prefix, sizeof prefix};
    std::copy(packet.begin(), packet.end(), whole_.begin() + 1);
    length_ = length + sizeof prefix;
    while (sent_ != length_) {
        const size_t count = rest_of(std::span(whole_).first(packet.size() + 1), sent_, rest_);
        const ssize_t result = write_some(output_.get(), std::span(rest_).first(count));
        if (result < 0 && errno == EINTR)
            continue;
        if (result < 0 && errno == EAGAIN)
            return false;
        if (result < 0) {
            refused_.fetch_add(1, std::memory_order_relaxed);
            break;
        }
        sent_ += static_cast<size_t>(result);
    }
    sent_ = 0;
    return true;
}

size_t StreamLink::transmit(unsigned, std::span<const NetPacket> packets) noexcept
{
    if (!finish_old())
        return 0;
    for (size_t i = 0; i < packets.size(); ++i) {
        size_t length = 0;
        for (const iovec& element : packets[i])
            length += element.iov_len;
        if (!send(packets[i], length))
            return i;
    }
    return packets.size();
}

// Reads what fits behind what is there. Returns as read(2), or a negative errno.
ssize_t StreamLink::refill() noexcept
{
    std::memmove(buffer_.data(), buffer_.data() + first_, last_ - first_);
    last_ -= first_;
    first_ = 0;
    for (;;) {
        const ssize_t result = ::read(input_.get(), buffer_.data() + last_, buffer_.size() - last_);
        if (result > 0)
            last_ += static_cast<size_t>(result);
        if (result >= 0)
            return result != 0 ? result : -EPIPE;
        if (errno != EINTR)
            return errno == EAGAIN ? 0 : -errno;
    }
}

ssize_t StreamLink::receive(unsigned, std::span<const iovec> into) noexcept
{
    for (;;) {
        const size_t skipped = std::min(skip_, last_ - first_);
        first_ += skipped;
        skip_ -= skipped;
        Length prefix = 0;
        if (skip_ == 0 && last_ - first_ >= sizeof prefix) {
            std::memcpy(&prefix, buffer_.data() + first_, sizeof prefix);
            const size_t length = ntohl(prefix);
            if (length > 2 * longest)
                return -EPROTO;  // no packet is as long: the stream is not what we think
            size_t room = 0;
            for (const iovec& element : into)
                room += element.iov_len;
            if (length == 0 || length > room) {
                first_ += sizeof prefix;
                skip_ = length;
                return -EMSGSIZE;
            }
            if (last_ - first_ >= sizeof prefix + length) {
                const std::byte* from = buffer_.data() + first_ + sizeof prefix;
                size_t left = length;
                for (const iovec& element : into) {
                    const size_t part = std::min(element.iov_len, left);
                    std::memcpy(element.iov_base, from, part);
                    from += part;
                    left -= part;
                }
                first_ += sizeof prefix + length;
                return static_cast<ssize_t>(length);
            }
        }
        if (const ssize_t result = refill(); result <= 0)
            return result;
    }
}

}  // namespace lkl::net
