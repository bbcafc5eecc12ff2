// SPDX-License-Identifier: GPL-2.0-only
// The driver's memory as the devices see it: nothing in it is trusted.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace lkl::virtio {

// VIRTIO structures are little endian, and are read here as they stand.
static_assert(std::endian::native == std::endian::little);

// The kernel's physical memory: physical address 0 is at `base`. The memory
// stays mapped as long as a device exists that was given it.
struct GuestMemory {
    std::byte* base = nullptr;
    uint64_t size = 0;

    // Where the host finds [address, address + length), or null when a part of
    // it is outside. The sum is never formed: it could overflow.
    std::byte* at(uint64_t address, uint64_t length) const noexcept
    {
        if (length > size || address > size - length)
            return nullptr;
        return base + address;
    }
};

// Reads a structure of the driver's exactly once. The driver may change it at
// any time, so what was checked must be what is used: the empty statement makes
// the compiler forget where the copy came from, so it cannot fetch it again.
template <typename T>
T read_once(const std::byte* from) noexcept
{
    static_assert(std::is_trivially_copyable_v<T>);
    T copy;
    std::memcpy(&copy, from, sizeof copy);
    asm volatile("" : "+m"(copy));
    return copy;
}

}  // namespace lkl::virtio
