// SPDX-License-Identifier: GPL-2.0-only
// What keeps two users of a file or a block device apart.
#pragma once

#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <sys/stat.h>

#include <lkl/disk.hpp>
#include <lkl/result.hpp>

#include <platform/posix/descriptor.hpp>

namespace lkl::disk {

class FileLock;

// What one disk holds of its file while it exists. All disks of the process that are in one
// file share its lock.
class Claim {
public:
    Claim() = default;  // nothing
    Claim(std::shared_ptr<FileLock> lock, posix::Descriptor device)
        : lock_(std::move(lock)), device_(std::move(device))
    {
    }

private:
    std::shared_ptr<FileLock> lock_;
    posix::Descriptor device_;  // what has the device by O_EXCL, where that is not the disk's own
};

// By options.lock. For a device, O_EXCL is a part of it unless options.claimed. `status` is
// of `fd`. Errors: EBUSY, ENOLCK, EMFILE.
Result<Claim> claim(int fd, const struct stat& status, const std::string& name,
                    const FileDiskOptions& options);

// Whether O_EXCL is wanted of a block device.
bool wants_device_alone(const FileDiskOptions& options);

// The error for a device that another has.
Error device_in_use(const std::string& name);

// What `attempt` returns; while that is -1 because of another user, for a while again: a
// program that has been killed holds its lock until the host has ended the requests of its
// io_uring, which takes some milliseconds.
template <typename Attempt>
int patiently(Attempt attempt)
{
    constexpr std::chrono::milliseconds patience{1000};
    constexpr std::chrono::milliseconds pause{5};
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (;;) {
        const int result = attempt();
        const bool busy = result == -1 && (errno == EAGAIN || errno == EBUSY);
        if (!busy || std::chrono::steady_clock::now() > deadline)
            return result;
        std::this_thread::sleep_for(pause);
    }
}

}  // namespace lkl::disk
