// SPDX-License-Identifier: GPL-2.0-only
// What the host says about this process: threads, memory, descriptors.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

namespace lkl::test {

// Sanitizers keep freed memory for a while, and have memory of their own.
inline bool sanitized()
{
    const char* const sanitize = std::getenv("LKL_SANITIZE");
    return sanitize && *sanitize;
}

// A number of /proc/self/status, such as "VmRSS" in KiB or "Threads".
inline uint64_t process_status(const std::string& key)
{
    std::ifstream file("/proc/self/status");
    std::string line;
    while (std::getline(file, line)) {
        if (line.rfind(key + ":", 0) == 0)
            return std::stoull(line.substr(key.size() + 1));
    }
    return 0;
}

inline size_t count_files(const char* directory)
{
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory))
        ++count;
    return count;
}

// The descriptor of the listing itself is counted each time.
inline size_t count_descriptors()
{
    return count_files("/proc/self/fd");
}

inline size_t count_mappings()
{
    std::ifstream file("/proc/self/maps");
    std::string line;
    size_t count = 0;
    while (std::getline(file, line))
        ++count;
    return count;
}

// A thread that was joined may be in the list for a moment yet: a base that others are compared
// with is taken before there is any.
inline uint64_t settled_threads(uint64_t expected)
{
    for (int i = 0; i < 3000 && process_status("Threads") != expected; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return process_status("Threads");
}

}  // namespace lkl::test
