// SPDX-License-Identifier: GPL-2.0-only
#include <platform/posix/mappings.hpp>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

namespace lkl::posix {

namespace {

struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

Error failed(const char* path)
{
    return {errno, std::string(path) + ": " + std::strerror(errno)};
}

// Of an entry of proc_pid_pagemap(5): present, or swapped out.
constexpr uint64_t page_exists = 3ull << 62;
constexpr const char* pagemap = "/proc/self/pagemap";

}  // namespace

Result<std::vector<Mapping>> list_mappings(uintptr_t start, uintptr_t end)
{
    const std::unique_ptr<std::FILE, Close> file(std::fopen("/proc/self/maps", "re"));
    if (!file)
        return failed("/proc/self/maps");
    std::vector<Mapping> mappings;
    // proc_pid_maps(5). A path longer than the buffer gives lines that do not parse.
    char line[512];
    while (std::fgets(line, sizeof line, file.get())) {
        Mapping mapping;
        char mode[5];
        if (std::sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %" SCNx64, &mapping.start,
                        &mapping.end, mode, &mapping.offset) != 4)
            continue;
        if (mapping.end <= start || mapping.start >= end)
            continue;
        if (mapping.start < start)
            mapping.offset += start - mapping.start;
        mapping.start = std::max(mapping.start, start);
        mapping.end = std::min(mapping.end, end);
        mapping.protection = (mode[0] == 'r' ? PROT_READ : 0) | (mode[1] == 'w' ? PROT_WRITE : 0) |
                             (mode[2] == 'x' ? PROT_EXEC : 0);
        mapping.shared = mode[3] == 's';
        mappings.push_back(mapping);
    }
    return mappings;
}

Result<void> for_each_existing_page(uintptr_t start, uintptr_t end,
                                    const std::function<void(uintptr_t, uintptr_t)>& function)
{
    const std::unique_ptr<std::FILE, Close> file(std::fopen(pagemap, "re"));
    if (!file)
        return failed(pagemap);
    constexpr uintptr_t page_size = 4096;
    std::vector<uint64_t> entries(size_t{1} << 16);
    uintptr_t first = 0;  // of a range that goes on; 0: there is none
    for (uintptr_t at = start; at < end;) {
        const size_t wanted = std::min<size_t>(entries.size(), (end - at) / page_size);
        const ssize_t got = ::pread(::fileno(file.get()), entries.data(), wanted * sizeof(uint64_t),
                                    static_cast<off_t>(at / page_size * sizeof(uint64_t)));
        if (got <= 0)
            return failed(pagemap);
        const size_t count = static_cast<size_t>(got) / sizeof(uint64_t);
        for (size_t i = 0; i < count; ++i, at += page_size) {
            const bool exists = entries[i] & page_exists;
            if (exists && !first)
                first = at;
            if (!exists && first)
                function(std::exchange(first, 0), at);
        }
    }
    if (first)
        function(first, end);
    return {};
}

}  // namespace lkl::posix
