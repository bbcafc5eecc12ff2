// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>

#include <fcntl.h>

#include <lkl/result.hpp>

#include <net/error.hpp>
#include <platform/posix/descriptor.hpp>

namespace lkl::net {

// Another descriptor of the same file, which does not block from here on.
inline Result<posix::Descriptor> duplicate(int fd)
{
    posix::Descriptor copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    const int flags = copy ? ::fcntl(copy.get(), F_GETFL) : -1;
    if (flags < 0 || ::fcntl(copy.get(), F_SETFL, flags | O_NONBLOCK) != 0)
        return host_error("descriptor " + std::to_string(fd));
    return copy;
}

}  // namespace lkl::net
