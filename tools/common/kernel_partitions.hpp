// SPDX-License-Identifier: GPL-2.0-only
// The partitions that the kernel finds where libblkid does not: it knows more kinds of tables.
#pragma once

#include "common/image_probe.hpp"
#include "common/opened_image.hpp"

namespace tools {

// Where libblkid found no partitions, or one that others are in which it does not know: the
// MBR of a dynamic disk of Windows has one for all of them.
bool kernel_may_know_partitions(const ImageContent& image);

// Starts a kernel that looks at the disk. What it finds takes the place of what `image` has,
// whose words on the same partitions stay. Throws ToolError.
void look_for_partitions(const ImageRequest& request, const OpenedImage& opened,
                         ImageContent& image);

}  // namespace tools
