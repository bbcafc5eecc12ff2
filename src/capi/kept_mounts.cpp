// SPDX-License-Identifier: GPL-2.0-only
#include "capi/kept_mounts.hpp"

#include <algorithm>
#include <utility>

#include <lkl/asm/errno.h>

namespace lkl::capi {

namespace {

// The calling thread's user may not look at the file system: that says nothing of it.
bool is_refusal(const Error& error)
{
    return error.code == LKL_EPERM || error.code == LKL_EACCES;
}

}  // namespace

void KeptMounts::keep(Mount mount)
{
    const std::lock_guard lock(mutex_);
    mounts_.reserve(mounts_.size() + 1);
    mounts_.push_back(std::move(mount));
}

std::optional<Mount> KeptMounts::take(std::string_view path)
{
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(mounts_.begin(), mounts_.end(), [path](const Mount& mount) {
        return mount.path() == path && mount.is_there();
    });
    if (found == mounts_.end())
        return std::nullopt;
    std::optional<Mount> taken(std::move(*found));
    mounts_.erase(found);
    return taken;
}

void KeptMounts::forget_unmounted()
{
    const std::lock_guard lock(mutex_);
    for (auto mount = mounts_.begin(); mount != mounts_.end();) {
        if (mount->is_there()) {
            ++mount;
            continue;
        }
        mount->release();  // or else its end unmounts what is there now
        mount = mounts_.erase(mount);
    }
}

Result<void> KeptMounts::finish()
{
    std::vector<Mount> mounts;
    {
        const std::lock_guard lock(mutex_);
        mounts.swap(mounts_);
    }
    Result<void> written;
    for (Mount& mount : mounts) {
        if (mount.is_there()) {
            auto result = mount.write_back();
            if (written && !result && !is_refusal(result.error()))
                written = std::move(result);
        }
        mount.release();
    }
    return written;
}

}  // namespace lkl::capi
