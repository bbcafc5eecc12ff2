// SPDX-License-Identifier: GPL-2.0-only
// Our side of the comparisons: a kernel with at most one disk. Every function
// throws std::runtime_error.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <lkl/kernel.hpp>
#include <lkl/mount.hpp>
#include <lkl/result.hpp>

namespace bench {

// The value, or the error as an exception.
template <typename T>
T value_of(lkl::Result<T> result)
{
    if (!result)
        throw std::runtime_error(result.error().what);
    return std::move(result).value();
}

inline void check(const lkl::Result<void>& result)
{
    if (!result)
        throw std::runtime_error(result.error().what);
}

class Guest {
public:
    static constexpr uint64_t default_memory = uint64_t{64} << 20;

    explicit Guest(uint64_t memory = default_memory);

    lkl::Kernel& kernel() { return *kernel_; }

    // A system call that must not fail; `what` is for the error.
    template <typename... Args>
    long call(const char* what, long number, Args... args)
    {
        const long result = kernel_->syscall(number, args...);
        if (result < 0)
            fail(what, result);
        return result;
    }

    void add_disk(const std::string& image, bool read_only);
    // Mounts the disk anew: nothing of the file system is in our page cache.
    void remount(const std::string& type, bool read_only);
    // Where it is mounted.
    const std::string& path() const { return mount_->path(); }

    // The contents of a small file, sysfs's for instance, which is mounted on /sys.
    std::string read_text(const std::string& path);
    void mount_sysfs();
    bool has(const std::string& path);

    void halt();

private:
    [[noreturn]] static void fail(const char* what, long result);

    std::unique_ptr<lkl::Kernel> kernel_;
    lkl::DiskId disk_;
    std::optional<lkl::Mount> mount_;
    std::optional<lkl::Mount> sysfs_;
};

}  // namespace bench
