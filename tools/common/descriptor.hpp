// SPDX-License-Identifier: GPL-2.0-only
// A host file descriptor that closes itself.
#pragma once

#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace tools {

// What was written so far is brought to where it goes, as close(2) does on NFS and FUSE, which
// take it first and tell later that it was lost. The descriptor stays open. 0, or -1 with errno.
inline int close_copy(int descriptor)
{
    const int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    return copy >= 0 ? ::close(copy) : -1;
}

class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
    Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept
    {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~Descriptor()
    {
        if (descriptor_ >= 0)
            ::close(descriptor_);
    }

    int get() const { return descriptor_; }
    explicit operator bool() const { return descriptor_ >= 0; }

    // Somebody else closes it from now on.
    int release() { return std::exchange(descriptor_, -1); }

    // Closes now; 0, or -1 with errno as close(2).
    int close()
    {
        const int descriptor = std::exchange(descriptor_, -1);
        return descriptor >= 0 ? ::close(descriptor) : 0;
    }

private:
    int descriptor_ = -1;
};

}  // namespace tools
