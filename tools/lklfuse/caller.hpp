// SPDX-License-Identifier: GPL-2.0-only
// On whose behalf a file is made.
#pragma once

#include <fuse_lowlevel.h>

#include "lklfuse/inner.hpp"

namespace tools::lklfuse {

// While it exists, what the calling thread makes in the kernel inside belongs to the
// process that sent the request, and gets its umask; where the directory has a default
// ACL, that takes the umask's place, as the kernel inside knows. So a file has its
// owner and mode from its first moment. What the caller may do is not looked at
// again: the host's kernel has checked it.
class AsCaller {
public:
    AsCaller(Inner& inner, fuse_req_t request);
    AsCaller(const AsCaller&) = delete;
    AsCaller& operator=(const AsCaller&) = delete;
    ~AsCaller();

private:
    Inner& inner_;
    const fuse_ctx& caller_;
};

// While it exists, the calling thread is in the caller's group and may not keep the
// set-group-ID bit of a file of another one.
class WithoutFsetid {
public:
    WithoutFsetid(Inner& inner, fuse_req_t request);
    WithoutFsetid(const WithoutFsetid&) = delete;
    WithoutFsetid& operator=(const WithoutFsetid&) = delete;
    ~WithoutFsetid();

private:
    void set_capability(bool on);

    Inner& inner_;
};

// Whether the sender of the request is in the group.
bool caller_in_group(fuse_req_t request, gid_t group);

}  // namespace tools::lklfuse
