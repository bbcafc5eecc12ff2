// SPDX-License-Identifier: GPL-2.0-only
// A descriptor of the host that is closed with its owner.
#pragma once

#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <lkl/result.hpp>

#include <net/error.hpp>

namespace lkl::net {

class Descriptor {
public:
    explicit Descriptor(int fd = -1) noexcept : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept
    {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Descriptor()
    {
        if (fd_ >= 0)
            ::close(fd_);
    }

    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }

private:
    int fd_;
};

// Another descriptor of the same file, which does not block from here on.
inline Result<Descriptor> duplicate(int fd)
{
    Descriptor copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    const int flags = copy ? ::fcntl(copy.get(), F_GETFL) : -1;
    if (flags < 0 || ::fcntl(copy.get(), F_SETFL, flags | O_NONBLOCK) != 0)
        return host_error("descriptor " + std::to_string(fd));
    return copy;
}

}  // namespace lkl::net
