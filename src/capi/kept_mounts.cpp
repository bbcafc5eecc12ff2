// SPDX-License-Identifier: GPL-2.0-only
#include "capi/kept_mounts.hpp"

#include <algorithm>
#include <exception>
#include <functional>
#include <iterator>
#include <utility>

#include <lkl/asm/unistd.h>
#include <lkl/linux/sched.h>

#include "platform/posix/thread.hpp"

namespace lkl::capi {

namespace {

// The root is that of all threads, and chroot(2) of any of them changes it: this one gets a root
// of its own, and enters process 1's mounts by their top.
void enter_top(Kernel& kernel)
{
    constexpr int process_1 = 1;
    const long process = kernel.syscall(__lkl__NR_pidfd_open, process_1, 0);
    if (kernel.syscall(__lkl__NR_unshare, LKL_CLONE_FS) == 0)
        kernel.syscall(__lkl__NR_setns, process, LKL_CLONE_NEWNS);
    kernel.syscall(__lkl__NR_close, process);
}

// On a thread of its own, whatever the calling one has become: the task of a new thread has
// process 1's credentials, and is made to have its view of files.
void as_process_1(Kernel& kernel, const std::function<void()>& work)
{
    struct Request {
        Kernel& kernel;
        const std::function<void()>& work;
        std::exception_ptr failure = nullptr;
    };
    const auto run = [](void* argument) -> void* {
        auto* const request = static_cast<Request*>(argument);
        try {
            enter_top(request->kernel);
            request->work();
        } catch (const std::exception&) {
            request->failure = std::current_exception();
        }
        return nullptr;
    };
    Request request{kernel, work};
    pthread_t thread{};
    if (posix::start_thread(thread, "lkl-halt", run, &request) != 0)
        return work();
    ::pthread_join(thread, nullptr);
    if (request.failure)
        std::rethrow_exception(request.failure);
}

}  // namespace

void KeptMounts::keep(Mount mount)
{
    const std::lock_guard lock(mutex_);
    mounts_.reserve(mounts_.size() + 1);
    mounts_.push_back(std::move(mount));
}

std::optional<Mount> KeptMounts::take(uint64_t id)
{
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(mounts_.begin(), mounts_.end(),
                                    [id](const Mount& mount) { return mount.id() == id; });
    if (found == mounts_.end())
        return std::nullopt;
    std::optional<Mount> taken(std::move(*found));
    mounts_.erase(found);
    return taken;
}

bool KeptMounts::holds(std::string_view path)
{
    const std::lock_guard lock(mutex_);
    return std::any_of(mounts_.begin(), mounts_.end(), [path](const Mount& mount) {
        return mount.path() == path && mount.is_there();
    });
}

void KeptMounts::let_go(std::vector<Mount> mounts)
{
    for (Mount& mount : mounts) {
        auto written = mount.write_back();
        mount.release();  // or else its end unmounts it
        const std::lock_guard lock(mutex_);
        if (lost_ && !written)
            lost_ = std::move(written);
    }
}

void KeptMounts::forget_unmounted()
{
    std::vector<Mount> gone;
    {
        const std::lock_guard lock(mutex_);
        gone.reserve(mounts_.size());
        const auto first = std::stable_partition(
            mounts_.begin(), mounts_.end(), [](const Mount& mount) { return mount.is_there(); });
        std::move(first, mounts_.end(), std::back_inserter(gone));
        mounts_.erase(first, mounts_.end());
    }
    let_go(std::move(gone));
}

Result<void> KeptMounts::finish(Kernel& kernel)
{
    std::vector<Mount> mounts;
    {
        const std::lock_guard lock(mutex_);
        mounts.swap(mounts_);
    }
    if (!mounts.empty())
        as_process_1(kernel, [&] { let_go(std::move(mounts)); });
    const std::lock_guard lock(mutex_);
    return std::exchange(lost_, {});
}

}  // namespace lkl::capi
