// SPDX-License-Identifier: GPL-2.0-only
#include "common/loop_devices.hpp"

#include <filesystem>
#include <fstream>
#include <system_error>

#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace tools {

std::string loop_device_of(int descriptor)
{
    struct stat image;
    if (fstat(descriptor, &image) != 0)
        return {};
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/sys/block", error)) {
        const std::string name = entry.path().filename();
        if (!name.starts_with("loop"))
            continue;
        // A path, as this process sees it; of a deleted file it is none.
        std::ifstream file(entry.path() / "loop/backing_file");
        std::string path;
        struct stat status;
        if (std::getline(file, path) && stat(path.c_str(), &status) == 0 &&
            status.st_dev == image.st_dev && status.st_ino == image.st_ino)
            return "/dev/" + name;
    }
    return {};
}

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
