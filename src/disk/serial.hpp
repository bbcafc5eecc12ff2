// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>

namespace lkl::disk {

// Bytes of a serial number (VIRTIO 1.2, 5.2.6: VIRTIO_BLK_ID_BYTES).
constexpr size_t serial_size = 20;

}  // namespace lkl::disk
