// SPDX-License-Identifier: GPL-2.0-only
// What tests of a running kernel share: to start one, to call it, and to stop a
// test that hangs with a word about where.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <time.h>

#include <gtest/gtest.h>

#include <lkl/asm-generic/errno.h>
#include <lkl/asm-generic/fcntl.h>
#include <lkl/asm/unistd.h>
#include <lkl/kernel.hpp>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/time_types.h>

namespace lkl::test {

using namespace std::chrono_literals;
using TimeSpec = struct ::__lkl__kernel_timespec;

// The host's monotonic clock, which is the kernel's as well.
inline uint64_t now_ns()
{
    timespec now;
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

inline TimeSpec to_timespec(std::chrono::nanoseconds ns)
{
    return {ns.count() / 1'000'000'000, ns.count() % 1'000'000'000};
}

// Ends the process with a message and a core when the test is not over in time:
// a lost wake-up is then named, instead of being a timeout of the whole run. The
// limit is for a machine that is busy with other things.
class Watchdog {
public:
    Watchdog(std::chrono::seconds limit, std::string what)
        : thread_([this, limit, what = std::move(what)] {
              std::unique_lock lock(mutex_);
              if (over_.wait_for(lock, limit, [this] { return stop_; }))
                  return;
              std::fprintf(stderr, "still not over after %lld s: %s\n",
                           static_cast<long long>(limit.count()), what.c_str());
              std::abort();
          })
    {
    }
    ~Watchdog()
    {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        over_.notify_one();
        thread_.join();
    }
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

private:
    std::mutex mutex_;
    std::condition_variable over_;
    bool stop_ = false;
    std::thread thread_;
};

// A kernel that has to start.
inline Kernel boot(const KernelOptions& options = {})
{
    auto kernel = Kernel::start(options);
    if (!kernel) {
        std::fprintf(stderr, "%s\n", kernel.error().what.c_str());
        std::abort();  // nothing in the test makes sense without it
    }
    return std::move(kernel).value();
}

// Threads that all end before the next line of the test.
class Crew {
public:
    Crew() = default;
    ~Crew() { join(); }
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;

    template <typename Job>
    void add(Job job)
    {
        threads_.emplace_back(std::move(job));
    }
    template <typename Job>
    void add(int count, Job job)
    {
        for (int i = 0; i < count; ++i)
            threads_.emplace_back(job, i);
    }
    void join()
    {
        for (auto& thread : threads_)
            thread.join();
        threads_.clear();
    }

private:
    std::list<std::thread> threads_;
};

// System calls by name, with their results as they are: negative errno.
class Calls {
public:
    explicit Calls(Kernel& kernel) : kernel_(kernel) {}

    long open(const char* path, int flags, unsigned mode = 0644)
    {
        return kernel_.syscall(__lkl__NR_openat, LKL_AT_FDCWD, path, flags, mode);
    }
    long close(long fd) { return kernel_.syscall(__lkl__NR_close, fd); }
    long read(long fd, void* data, size_t size)
    {
        return kernel_.syscall(__lkl__NR_read, fd, data, size);
    }
    long write(long fd, const void* data, size_t size)
    {
        return kernel_.syscall(__lkl__NR_write, fd, data, size);
    }
    long pread(long fd, void* data, size_t size, uint64_t offset)
    {
        return kernel_.syscall(__lkl__NR_pread64, fd, data, size, offset);
    }
    long pwrite(long fd, const void* data, size_t size, uint64_t offset)
    {
        return kernel_.syscall(__lkl__NR_pwrite64, fd, data, size, offset);
    }
    long fsync(long fd) { return kernel_.syscall(__lkl__NR_fsync, fd); }
    long mkdir(const char* path)
    {
        return kernel_.syscall(__lkl__NR_mkdirat, LKL_AT_FDCWD, path, 0755);
    }
    long unlink(const char* path)
    {
        return kernel_.syscall(__lkl__NR_unlinkat, LKL_AT_FDCWD, path, 0);
    }
    long pipe(int fds[2], int flags = 0) { return kernel_.syscall(__lkl__NR_pipe2, fds, flags); }
    long gettid() { return kernel_.syscall(__lkl__NR_gettid); }
    long sleep(std::chrono::nanoseconds time)
    {
        const TimeSpec wanted = to_timespec(time);
        return kernel_.syscall(__lkl__NR_nanosleep, &wanted, nullptr);
    }
    long mount(const char* source, const char* target, const char* type, unsigned long flags = 0,
               const char* data = nullptr)
    {
        return kernel_.syscall(__lkl__NR_mount, source, target, type, flags, data);
    }
    long umount(const char* target) { return kernel_.syscall(__lkl__NR_umount2, target, 0); }

    // Mounts a file system that needs no disk, at a directory that may exist.
    void mount_at(const char* type, const char* target)
    {
        const long made = mkdir(target);
        ASSERT_TRUE(made == 0 || made == -LKL_EEXIST) << target << ": " << made;
        const long mounted = mount(type, target, type);
        ASSERT_TRUE(mounted == 0 || mounted == -LKL_EBUSY) << type << ": " << mounted;
    }

    // The whole contents of a file; empty if it cannot be opened.
    std::string read_file(const char* path)
    {
        const long fd = open(path, LKL_O_RDONLY);
        if (fd < 0)
            return {};
        std::string text;
        char buffer[4096];
        long n;
        while ((n = read(fd, buffer, sizeof buffer)) > 0)
            text.append(buffer, static_cast<size_t>(n));
        EXPECT_EQ(n, 0) << path;
        EXPECT_EQ(close(fd), 0);
        return text;
    }
    // 0 or a negative errno.
    long write_file(const char* path, std::string_view text, int flags = LKL_O_WRONLY)
    {
        const long fd = open(path, flags);
        if (fd < 0)
            return fd;
        const long n = write(fd, text.data(), text.size());
        const long closed = close(fd);
        return n < 0 ? n : closed;
    }

    // How many entries a directory has, less "." and "..".
    long count_entries(const char* path)
    {
        const long fd = open(path, LKL_O_RDONLY | LKL_O_DIRECTORY);
        if (fd < 0)
            return fd;
        alignas(8) char buffer[4096];
        long entries = 0;
        long n;
        while ((n = kernel_.syscall(__lkl__NR_getdents64, fd, buffer, sizeof buffer)) > 0) {
            for (long at = 0; at < n;) {
                // struct linux_dirent64: inode, offset, length of the entry.
                uint16_t length;
                __builtin_memcpy(&length, buffer + at + 16, sizeof length);
                ++entries;
                at += length;
            }
        }
        EXPECT_EQ(n, 0) << path;
        EXPECT_EQ(close(fd), 0);
        return entries - 2;
    }

    // The state of a task as /proc shows it: R, S, D, I ...; 0 if there is none.
    char task_state(long tid)
    {
        const std::string text =
            read_file(("/proc/1/task/" + std::to_string(tid) + "/stat").c_str());
        const size_t name_end = text.rfind(')');
        return name_end == std::string::npos ? 0 : text.at(name_end + 2);
    }

private:
    Kernel& kernel_;
};

}  // namespace lkl::test
