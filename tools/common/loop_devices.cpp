// SPDX-License-Identifier: GPL-2.0-only
#include "common/loop_devices.hpp"

#include <fstream>

#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace tools {

std::string backing_file_of(int descriptor)
{
    struct stat device;
    if (fstat(descriptor, &device) != 0 || !S_ISBLK(device.st_mode))
        return {};
    const std::string directory = "/sys/dev/block/" + std::to_string(major(device.st_rdev)) + ':' +
                                  std::to_string(minor(device.st_rdev));
    // A partition is below its disk.
    for (const char* const form : {"/loop/backing_file", "/../loop/backing_file"}) {
        std::ifstream file(directory + form);
        std::string path;
        if (std::getline(file, path))
            return path;
    }
    return {};
}

}  // namespace tools
