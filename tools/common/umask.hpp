// SPDX-License-Identifier: GPL-2.0-only
// The process's umask, which all threads share, and which is only read by setting it.
#pragma once

#include <sys/stat.h>

namespace tools {

inline mode_t process_umask()
{
    const mode_t mask = umask(0);
    umask(mask);
    return mask;
}

// While it exists, files are made with the very mode that is asked for.
class NoUmask {
public:
    NoUmask() : before_(umask(0)) {}
    NoUmask(const NoUmask&) = delete;
    NoUmask& operator=(const NoUmask&) = delete;
    ~NoUmask() { umask(before_); }

private:
    const mode_t before_;
};

}  // namespace tools
