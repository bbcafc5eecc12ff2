// SPDX-License-Identifier: GPL-2.0-only
// Devices of the kernel's device mapper, by the ioctls of /dev/mapper/control.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/kernel.hpp"

namespace lkl::test {

// One line of a table; places and lengths in sectors of 512 bytes.
struct Target {
    uint64_t start = 0;
    uint64_t length = 0;
    std::string type;
    std::string parameters;
};
using Table = std::vector<Target>;

// A device with a name and a table, which is removed at the end. The constructor and what
// is not said to return an errno throw std::runtime_error with the call and its errno.
class MappedDevice {
public:
    // `read_only`: as its table is loaded, which verity insists on.
    MappedDevice(Kernel& kernel, const std::string& name, const Table& table,
                 bool read_only = false);
    // A device of one line that starts at 0.
    MappedDevice(Kernel& kernel, const std::string& name, uint64_t length, const std::string& type,
                 const std::string& parameters, bool read_only = false);
    ~MappedDevice();
    MappedDevice(const MappedDevice&) = delete;
    MappedDevice& operator=(const MappedDevice&) = delete;

    // The special file inside the kernel.
    const std::string& path() const { return path_; }

    // What the targets say of themselves, and their tables.
    std::vector<Target> status();
    std::vector<Target> table();
    // 0 or a negative errno.
    long load(const Table& table);
    // A text for the target that has this sector; 0 or a negative errno.
    long message(uint64_t sector, const std::string& text);
    // What was written is below when it returns; what is to come waits for resume().
    void suspend();
    // Makes the table that was loaded last the one in use.
    void resume();
    // 0, or a negative errno and the device is still there.
    long remove();

private:
    // One ioctl, with `data` behind the structure; what comes back replaces `data`.
    long call(unsigned long request, uint32_t flags, uint32_t targets, std::string& data);
    long call(unsigned long request, uint32_t flags = 0);
    std::vector<Target> targets(uint32_t flags);
    void start(const Table& table);

    Kernel& kernel_;
    std::string name_, path_;
    bool read_only_;
    uint64_t device_ = 0;  // from the last call
    long control_ = -1;
    bool exists_ = false;
};

// The names of all targets that the kernel has.
std::vector<std::string> target_types(Kernel& kernel);

}  // namespace lkl::test
