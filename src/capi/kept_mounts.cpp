// SPDX-License-Identifier: GPL-2.0-only
#include "capi/kept_mounts.hpp"

#include <algorithm>
#include <exception>
#include <functional>
#include <iterator>
#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/asm/unistd.h>
#include <lkl/linux/sched.h>

#include "capi/task.hpp"
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
// process 1's credentials, and is made to have its view of files. Where the kernel or the process
// has no room for it, the calling thread has to do.
void as_process_1(Kernel& kernel, const std::function<void()>& work)
{
    struct Request {
        Kernel& kernel;
        const std::function<void()>& work;
        bool has_task = true;
        std::exception_ptr failure = nullptr;
    };
    const auto run = [](void* argument) -> void* {
        auto* const request = static_cast<Request*>(argument);
        try {
            request->has_task = make_task(request->kernel) == 0;
            if (!request->has_task)
                return nullptr;
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
    if (!request.has_task)
        work();
}

}  // namespace

void KeptMounts::GiveBack::operator()(Mount* mount) const
{
    const std::lock_guard lock(mounts->mutex_);
    if (mount->is_released())
        mounts->mounts_.erase(entry);
    else
        entry->in_use = false;
    mounts->unused_.notify_all();
}

void KeptMounts::keep(Mount mount)
{
    const std::lock_guard lock(mutex_);
    mounts_.push_back({.mount = std::move(mount)});
}

Result<KeptMounts::Use> KeptMounts::use(uint64_t id, Deadline deadline)
{
    std::unique_lock lock(mutex_);
    for (;;) {
        const auto found = std::find_if(mounts_.begin(), mounts_.end(), [id](const Entry& entry) {
            return entry.mount.id() == id;
        });
        if (found == mounts_.end())
            return Use();
        if (!found->in_use) {
            found->in_use = true;
            return Use(&found->mount, GiveBack{this, found});
        }
        if (std::chrono::steady_clock::now() >= deadline)
            return Error{LKL_EBUSY, "unmount " + found->mount.path() + ": another thread does so"};
        unused_.wait_until(lock, deadline);
    }
}

bool KeptMounts::holds(std::string_view path)
{
    const std::lock_guard lock(mutex_);
    return std::any_of(mounts_.begin(), mounts_.end(), [path](const Entry& entry) {
        return entry.mount.path() == path && (entry.in_use || entry.mount.is_there());
    });
}

void KeptMounts::forget_unmounted()
{
    Entries gone;
    {
        const std::lock_guard lock(mutex_);
        for (auto entry = mounts_.begin(); entry != mounts_.end();) {
            const auto next = std::next(entry);
            if (!entry->in_use && !entry->mount.is_there())
                gone.splice(gone.end(), mounts_, entry);
            entry = next;
        }
    }
    for (Entry& entry : gone) {
        auto written = entry.mount.write_back();
        entry.mount.release();
        const std::lock_guard lock(mutex_);
        if (lost_ && !written)
            lost_ = std::move(written);
    }
}

Result<void> KeptMounts::write_back(Kernel& kernel)
{
    std::list<Use> all;
    {
        const std::lock_guard lock(mutex_);
        for (auto entry = mounts_.begin(); entry != mounts_.end(); ++entry) {
            if (entry->in_use)
                continue;  // by a thread that will be told itself
            all.emplace_back(&entry->mount, GiveBack{this, entry});
            entry->in_use = true;
        }
    }
    Result<void> result;
    const auto work = [&] {
        for (const Use& mount : all) {
            auto written = mount->write_back();
            if (result && !written)
                result = std::move(written);
        }
    };
    if (!all.empty())
        as_process_1(kernel, work);
    const std::lock_guard lock(mutex_);
    return lost_ ? result : lost_;
}

void KeptMounts::forget_all()
{
    const std::lock_guard lock(mutex_);
    for (auto entry = mounts_.begin(); entry != mounts_.end();) {
        const auto next = std::next(entry);
        if (!entry->in_use) {
            entry->mount.release();  // or else its end unmounts it
            mounts_.erase(entry);
        }
        entry = next;
    }
    lost_ = {};
}

}  // namespace lkl::capi
