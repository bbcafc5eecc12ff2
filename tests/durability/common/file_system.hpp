// SPDX-License-Identifier: GPL-2.0-only
// The file systems that are cut, and their real tools.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "durability/common/history.hpp"

namespace lkl::test {

// One way to mount it.
struct MountWay {
    std::string options;
    History::NameRule names = History::NameRule::ordered;
    bool keeps_renamed = true;  // see History::Cut
};

struct FileSystem {
    std::string type;  // the kernel's name
    uint64_t size;     // bytes of the disk
    std::string make;  // the commands; the image's path follows
    std::string check;
    std::string complaint;         // a pattern that a clean check does not print; or empty
    std::vector<MountWay> mounts;  // workloads take turns

    // What the file system itself does less well than it could, with the reason in
    // file_system.cpp.
    bool late = false;      // fsync(2) is done only with the next flush
    uint64_t tails = 0;     // see History::Cut
    uint64_t rewrites = 0;  // the same
    uint32_t atomic = 512;  // bytes that it takes for written as a whole
};

const std::vector<FileSystem>& file_systems();

// For GoogleTest, which would print its bytes.
inline void PrintTo(const FileSystem& type, std::ostream* out)
{
    *out << type.type;
}

// Runs a shell command; what it printed goes to `output`. Its exit code.
int run_command(const std::string& command, std::string& output);

}  // namespace lkl::test
