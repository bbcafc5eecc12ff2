// SPDX-License-Identifier: GPL-2.0-only
// Structures in buffers, however they are spread over them (VIRTIO 1.2, 2.7.4: a device
// must not assume anything about the framing).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <sys/uio.h>

#include <virtio/memory.hpp>

namespace lkl::virtio {

inline uint64_t total(std::span<const iovec> buffers) noexcept
{
    uint64_t sum = 0;  // 256 buffers of less than 4 GiB: no overflow
    for (const iovec& buffer : buffers)
        sum += buffer.iov_len;
    return sum;
}

// Takes a structure off the front of the buffers. False: they are shorter.
template <typename T>
bool take(std::span<iovec>& from, T& to) noexcept
{
    if (!from.empty() && from.front().iov_len == sizeof to) {
        to = read_once<T>(static_cast<const std::byte*>(from.front().iov_base));
        from = from.subspan(1);
        return true;
    }
    std::array<std::byte, sizeof(T)> bytes;
    for (size_t have = 0; have < bytes.size();) {
        if (from.empty())
            return false;
        iovec& first = from.front();
        const size_t part = std::min(bytes.size() - have, first.iov_len);
        std::memcpy(bytes.data() + have, first.iov_base, part);
        have += part;
        first.iov_base = static_cast<std::byte*>(first.iov_base) + part;
        first.iov_len -= part;
        if (first.iov_len == 0)
            from = from.subspan(1);
    }
    to = read_once<T>(bytes.data());
    return true;
}

}  // namespace lkl::virtio
