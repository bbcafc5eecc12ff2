// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/read_ahead.hpp"

#include <fstream>
#include <sstream>

namespace tools::lklfuse {

namespace {

// "major:minor" of what is mounted there. Not by stat(2), which would be a request
// that nobody answers yet.
std::string device_of_mount(const std::string& mount_point)
{
    std::ifstream mounts("/proc/self/mountinfo");
    std::string device;
    for (std::string line; std::getline(mounts, line);) {
        std::istringstream fields(line);
        std::string id;
        std::string parent;
        std::string number;
        std::string root;
        std::string path;
        fields >> id >> parent >> number >> root >> path;
        // The last one is on top. A path with blanks, which is escaped there, is not
        // found; then all stays as it is.
        if (path == mount_point)
            device = number;
    }
    return device;
}

}  // namespace

void raise_read_ahead(const std::string& mount_point)
{
    const std::string device = device_of_mount(mount_point);
    if (!device.empty())
        std::ofstream("/sys/class/bdi/" + device + "/read_ahead_kb") << read_ahead / 1024;
}

}  // namespace tools::lklfuse
