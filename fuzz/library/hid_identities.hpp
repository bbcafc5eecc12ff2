// SPDX-License-Identifier: GPL-2.0-only
// Devices that the kernel's HID drivers know by their numbers.
#pragma once

#include <cstdint>
#include <span>

namespace lkl::fuzz {

struct HidIdentity {
    uint16_t bus;  // BUS_USB and the like, of linux/input.h
    uint16_t vendor;
    uint16_t product;
};

// Less than 256.
std::span<const HidIdentity> hid_identities();

}  // namespace lkl::fuzz
