// SPDX-License-Identifier: GPL-2.0-only
// The host's side of the comparisons: programs, loop mounts, descriptors.
// Every function throws std::system_error or std::runtime_error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace bench {

// A descriptor of the host that closes itself.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept
    {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Descriptor();

    // flags without O_CLOEXEC, which is added.
    static Descriptor open(const std::string& path, int flags, unsigned mode = 0);

    int get() const { return fd_; }

private:
    int fd_ = -1;
};

// A program that was started, and what it prints.
struct Child {
    pid_t pid = -1;
    Descriptor output;
};

// Throws Skipped unless this process may mount.
void need_root();

// Throws Skipped unless there is such a program.
void need_program(const std::string& name);

// All mounts from here on are this process's own: they end with it, however it
// ends. Does nothing without root.
void make_mounts_private();

// Runs a program to its end, its output to nowhere; throws when it fails.
void run_program(const std::vector<std::string>& arguments);

// The same; what it prints is returned.
std::string output_of(const std::vector<std::string>& arguments);

// Runs a program to its end, reads its output and throws it away: returns the
// seconds from before its start to after its end.
double time_program(const std::vector<std::string>& arguments);

// A program that runs beside what is measured, its output to nowhere. Ends with SIGTERM.
class Background {
public:
    explicit Background(const std::vector<std::string>& arguments);
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;
    ~Background();

    bool running();

private:
    Child child_;
};

// Reads the file once, so that it is in the host's page cache.
void warm(const std::string& path);

// A file system image mounted by the host over a loop device. The mount is new,
// nothing of it is in the host's caches; the image file itself is cached as
// before, since loop devices read it through the page cache.
class LoopMount {
public:
    // flags: MS_*. The directory must exist.
    LoopMount(const std::string& image, const std::string& directory, const std::string& type,
              unsigned long flags);
    LoopMount(const LoopMount&) = delete;
    LoopMount& operator=(const LoopMount&) = delete;
    ~LoopMount();

    const std::string& path() const { return directory_; }

private:
    std::string directory_;
};

// A file system that a program serves through FUSE for as long as it is mounted. The
// program stays in the foreground.
class FuseMount {
public:
    FuseMount(const std::vector<std::string>& program, const std::string& directory);
    FuseMount(const FuseMount&) = delete;
    FuseMount& operator=(const FuseMount&) = delete;
    // Unmounts and waits for the program's end.
    ~FuseMount();

    // The most memory that the program has had so far, in KiB (VmHWM of proc(5)).
    uint64_t most_resident() const;

private:
    const std::string directory_;
    Child child_;
};

}  // namespace bench
