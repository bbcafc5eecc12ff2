// SPDX-License-Identifier: GPL-2.0-only
#include <disk/loop_device.hpp>

#include <filesystem>
#include <fstream>
#include <system_error>

namespace lkl::disk {

std::string loop_device_of(const struct stat& file)
{
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/sys/block", error)) {
        const std::string name = entry.path().filename();
        if (!name.starts_with("loop"))
            continue;
        // As this process sees it; of a deleted file it is none.
        std::ifstream backing_file(entry.path() / "loop/backing_file");
        std::string path;
        struct stat status {};
        if (std::getline(backing_file, path) && ::stat(path.c_str(), &status) == 0 &&
            status.st_dev == file.st_dev && status.st_ino == file.st_ino)
            return "/dev/" + name;
    }
    return {};
}

}  // namespace lkl::disk
