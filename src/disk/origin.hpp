// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <sys/types.h>
#include <unistd.h>

namespace lkl::disk {

// Which process made something. A child of fork(2) has copies of what is the parent's, and
// none of its threads.
class Origin {
public:
    bool is_here() const noexcept { return ::getpid() == process_; }

private:
    pid_t process_ = ::getpid();
};

}  // namespace lkl::disk
