// SPDX-License-Identifier: GPL-2.0-only
// lkl::Snapshot: what a running kernel is at a moment, to come back to again and again.
//
// For fuzzers and tests that want the same kernel for each of thousands of executions,
// and a new one after a crash, in less than a millisecond instead of a start.
#pragma once

#include <cstddef>

#include <lkl/kernel.hpp>
#include <lkl/result.hpp>

namespace lkl {

// The memory of a kernel, its devices, the contents of its disks and what it knows of the
// program's threads. restore() puts back what has changed, which takes as long as that is
// much: Linux 6.7 as the host tells which pages were written to; elsewhere all memory is
// compared. A kernel that has panicked, or was ended by reboot(2), runs again after
// restore(); one that Kernel::halt() has ended does not.
//
// Time goes on. Both clocks of the kernel show the host's time after restore(), so to
// the kernel it is as if it had done nothing since the snapshot: timers that were set
// then and are due by now expire at once, together.
//
// Descriptors, mounts, processes' settings and mappings of the kernel that were made
// since the snapshot are gone, and what refers to them (lkl::File, lkl::Mount) must not
// be used any more, the destructor included: release them, or end them before.
//
// Threads. No thread may be in a call of this kernel when a snapshot is taken or
// restored, and what calls meanwhile gets -EBUSY. A thread that calls for the first time
// after the snapshot becomes another thread of the kernel after restore(), with its next
// call. A thread that had called before must still exist.
//
// Disks. Those that were there must be there at restore(); those that came later are
// removed. Disks in memory, overlays (make_overlay_disk()) and all that are read-only
// can be put back; others need BlockBackend::keep_contents().
//
// Network. The host's side of an interface cannot be put back, so that a snapshot of a
// kernel that has one is refused (EOPNOTSUPP), unless the network is the program itself
// (make_user_net(), also below make_pcap(), or a back end with NetBackend::restorable()):
// it sees to its own side, what it has sent and the kernel has not received is lost, and
// the cable is in or out as it was. Interfaces that came later are removed as disks are.
//
// While there is a snapshot, the kernel gives no memory back to the host, and a copy of
// what it used is kept: about as much again as the kernel had in use.
class Snapshot {
public:
    // Waits until the kernel has done its work and no request is in flight. One at a time
    // for each kernel, which must outlive the snapshot.
    // Errors: EBUSY (a thread is in a call, or the kernel does not come to rest), EEXIST
    // (there is one already), EOPNOTSUPP (a device that cannot be put back; what names
    // it), EIO (the kernel is dead), ESHUTDOWN (it was halted), ENOMEM.
    static Result<Snapshot> take(Kernel& kernel);

    Snapshot(Snapshot&& other) noexcept;
    Snapshot& operator=(Snapshot&&) = delete;
    // The kernel goes on as it is.
    ~Snapshot();

    // Returns the number of pages of 4 KiB that were put back.
    // Errors that change nothing: EBUSY (a thread is in a call), ESRCH (a thread that had
    // called the kernel has ended), ENODEV (a device was removed), ESHUTDOWN (halted).
    // Any other, ENOMEM, is the host's, and leaves a kernel that can only be destroyed.
    Result<size_t> restore();

    // What a mmap(2) of this kernel has mapped at [start, start + size), whole pages, stays as
    // it is at each restore from here on: buffers of which the program keeps account itself,
    // such as KCOV's, and which are large, so that the way back is shorter. The mapping must
    // have been there at the snapshot, with all of its pages. Not during restore().
    // Errors: EINVAL (it was not, or these are no whole pages), ENOMEM; nothing is changed.
    Result<void> leave_out(const void* start, size_t size);

private:
    explicit Snapshot(Kernel::Impl* kernel) : kernel_(kernel) {}

    Kernel::Impl* kernel_;
};

}  // namespace lkl
