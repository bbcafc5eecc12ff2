// SPDX-License-Identifier: GPL-2.0-only
#include "common/tar/byte_source.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <unistd.h>

namespace tools {

bool is_zero(std::span<const std::byte> bytes)
{
    return bytes.empty() || (bytes.front() == std::byte{0} &&
                             std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

ByteSource::ByteSource() : buffer_(window) {}

size_t ByteSource::produce_more(std::span<std::byte> room)
{
    const size_t count = ended_ ? 0 : produce(room);
    ended_ = count == 0 || !error_.empty();
    return count;
}

std::span<const std::byte> ByteSource::peek(size_t least)
{
    if (end_ - begin_ < least && begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    while (end_ - begin_ < least && !ended_)
        end_ += produce_more(std::span(buffer_).subspan(end_));
    return std::span(buffer_).subspan(begin_, end_ - begin_);
}

size_t ByteSource::read(std::span<std::byte> room)
{
    size_t filled = std::min(room.size(), end_ - begin_);
    std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), filled, room.begin());
    begin_ += filled;
    while (filled < room.size() && !ended_)
        filled += produce_more(room.subspan(filled));
    return filled;
}

bool ByteSource::only_zeroes()
{
    for (auto bytes = peek(); !bytes.empty(); bytes = peek()) {
        if (!is_zero(bytes))
            return false;
        consume(bytes.size());
    }
    return error_.empty();
}

size_t DescriptorSource::produce(std::span<std::byte> room)
{
    ssize_t count = 0;
    do {
        count = ::read(descriptor_, room.data(), room.size());
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        fail(std::strerror(errno));
        return 0;
    }
    position_ += static_cast<uint64_t>(count);
    return static_cast<size_t>(count);
}

}  // namespace tools
