// SPDX-License-Identifier: GPL-2.0-only
// The disks of the default kernel, by the numbers that lkl_disk_add() gave.
#pragma once

#include <lkl/kernel.hpp>
#include <lkl/mount.hpp>
#include <lkl/result.hpp>

namespace lkl::capi {

// EINVAL: no such disk.
Result<DiskId> find_disk(unsigned number);

// The device number of a partition, or of the disk for partition 0. ENXIO: no
// such partition.
Result<uint64_t> find_device(Kernel& kernel, unsigned number, unsigned part);

}  // namespace lkl::capi
