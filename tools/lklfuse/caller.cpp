// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/caller.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <lkl/linux/capability.h>
#include <lkl/linux/prctl.h>
#include <lkl/linux/sched.h>
#include <lkl/linux/securebits.h>

namespace tools::lklfuse {

namespace {

// Threads of a process share their umask, and lose capabilities with the user ID 0.
// Ours do neither.
void prepare_thread(Inner& inner)
{
    thread_local bool prepared = false;
    if (prepared)
        return;
    inner.call(__lkl__NR_unshare, LKL_CLONE_FS);
    inner.call(__lkl__NR_prctl, LKL_PR_SET_SECUREBITS, LKL_SECBIT_NO_SETUID_FIXUP, 0, 0, 0);
    prepared = true;
}

}  // namespace

AsCaller::AsCaller(Inner& inner, fuse_req_t request)
    : inner_(inner), caller_(*fuse_req_ctx(request))
{
    prepare_thread(inner_);
    inner_.call(__lkl__NR_umask, caller_.umask);
    if (caller_.gid != 0)
        inner_.call(__lkl__NR_setfsgid, caller_.gid);
    if (caller_.uid != 0)
        inner_.call(__lkl__NR_setfsuid, caller_.uid);
}

AsCaller::~AsCaller()
{
    if (caller_.uid != 0)
        inner_.call(__lkl__NR_setfsuid, 0);
    if (caller_.gid != 0)
        inner_.call(__lkl__NR_setfsgid, 0);
}

WithoutFsetid::WithoutFsetid(Inner& inner, fuse_req_t request) : inner_(inner)
{
    inner_.call(__lkl__NR_setfsgid, fuse_req_ctx(request)->gid);
    set_capability(false);
}

WithoutFsetid::~WithoutFsetid()
{
    set_capability(true);
    inner_.call(__lkl__NR_setfsgid, 0);
}

void WithoutFsetid::set_capability(bool on)
{
    struct __lkl__user_cap_header_struct header {};
    header.version = _LKL_LINUX_CAPABILITY_VERSION_3;
    std::array<struct __lkl__user_cap_data_struct, _LKL_LINUX_CAPABILITY_U32S_3> sets{};
    if (inner_.call(__lkl__NR_capget, &header, sets.data()) < 0)
        return;
    constexpr uint32_t bit = 1u << LKL_CAP_FSETID;
    if (on)
        sets[0].effective |= bit;
    else
        sets[0].effective &= ~bit;
    inner_.call(__lkl__NR_capset, &header, sets.data());
}

bool caller_in_group(fuse_req_t request, gid_t group)
{
    if (fuse_req_ctx(request)->gid == group)
        return true;
    std::vector<gid_t> groups(64);
    int count = fuse_req_getgroups(request, static_cast<int>(groups.size()), groups.data());
    if (count > static_cast<int>(groups.size())) {
        groups.resize(static_cast<size_t>(count));
        count = fuse_req_getgroups(request, count, groups.data());
    }
    groups.resize(static_cast<size_t>(std::clamp(count, 0, static_cast<int>(groups.size()))));
    return std::find(groups.begin(), groups.end(), group) != groups.end();
}

}  // namespace tools::lklfuse
