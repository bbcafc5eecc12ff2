// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/memory_guard.hpp"

#include <array>
#include <charconv>

#include <lkl/linux/fcntl.h>

namespace tools::lklfuse {

MemoryGuard::MemoryGuard(Inner& inner, long root, uint64_t memory)
    : inner_(inner),
      root_(root),
      statistics_(inner, inner.call(__lkl__NR_openat, LKL_AT_FDCWD, "/proc/meminfo", LKL_O_RDONLY)),
      limit_(unreclaimable() + memory / 8 / 1024)
{
}

uint64_t MemoryGuard::statistic(std::string_view label)
{
    std::array<char, 2048> buffer;
    const long length =
        inner_.call(__lkl__NR_pread64, statistics_.get(), buffer.data(), buffer.size(), 0);
    if (length <= 0)
        return 0;
    const std::string_view text(buffer.data(), static_cast<size_t>(length));
    size_t at = text.find(label);
    if (at == std::string_view::npos)
        return 0;
    at = text.find_first_not_of(' ', at + label.size());
    uint64_t size = 0;
    if (at != std::string_view::npos)
        std::from_chars(text.data() + at, text.data() + text.size(), size);
    return size;
}

void MemoryGuard::look()
{
    if (unreclaimable() <= limit_)
        return;
    const std::lock_guard guard(writing_);
    // Somebody else may have seen to it meanwhile.
    if (unreclaimable() <= limit_)
        return;
    inner_.call(__lkl__NR_syncfs, root_);
    // What is written can go, with names and inodes that are not in use.
    const InnerFile drop(inner_, inner_.call(__lkl__NR_openat, LKL_AT_FDCWD,
                                             "/proc/sys/vm/drop_caches", LKL_O_WRONLY));
    inner_.call(__lkl__NR_write, drop.get(), "2", 1);
}

}  // namespace tools::lklfuse
