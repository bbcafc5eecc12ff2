// SPDX-License-Identifier: GPL-2.0-only
// lkl::Kernel: a Linux kernel that runs inside this process.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include <lkl/block.hpp>
#include <lkl/packet.hpp>
#include <lkl/result.hpp>

namespace lkl {

// The kernel's own room is 4096 bytes, of which its configuration takes a part.
constexpr size_t most_command_line = 3072;
// Bytes of memory that no kernel image works with less of, and that none has more of.
constexpr uint64_t least_memory_of_any = 16ull << 20;
constexpr uint64_t most_memory = 1ull << 42;

// How to start a kernel.
struct KernelOptions {
    // Bytes of physical memory, at least 24 MiB, or 16 for an image as small as the tiny
    // one: so much it takes to boot, and to mount a disk. A kernel image that was built with
    // checkers gets what these take on top. When it runs out, what the program keeps in the
    // kernel's memory (tmpfs, sockets, pipes) included, the kernel ends with a panic: there
    // is no process but the program's that could be killed in its place.
    uint64_t memory = 64ull << 20;
    // Added to the kernel's command line; at most most_command_line bytes.
    std::string command_line = {};
    std::string image = {};  // path of the kernel image; empty: default_kernel_image()
    // The kernel image, open for reading, or -1: the library opens it. A duplicate is
    // used, so that a program may give up its access to files before it starts a kernel.
    int image_descriptor = -1;
    // Lines of the kernel log, called on whichever thread carries the kernel;
    // must not call the kernel. Empty: the log stays readable by syslog(2).
    std::function<void(std::string_view)> log = {};
    // The same line by line, each with its newline and its level: 0 (an emergency), 1, 2, 3
    // (an error), 4 (a warning), 5, 6 (information), 7 (for debugging), as in syslog(2).
    // Those below the console's level come, which `loglevel=8` on the command line makes
    // all of them. May be set together with `log`, which then gets the same lines.
    std::function<void(int level, std::string_view line)> log_with_level = {};
    // Installs a handler of SIGSEGV and SIGBUS for the process while a kernel that
    // asked for it exists. A bad pointer given to a system call is then -EFAULT,
    // and a fault of the kernel itself a panic of that kernel; without it, either
    // is what it is for any library: a signal. All other faults go on to the
    // handler that was there before.
    bool fault_handler = false;
};

// The path of the kernel image where a program names none: LKL_KERNEL_IMAGE in the
// environment (not for set-user-ID programs), lkl/vmlinux beside the library or the
// program's ../lib, or the installed path.
std::string default_kernel_image();

// A disk of a running kernel: its position (vda is 0) and its device number as
// the kernel's stat(2) reports it.
struct DiskId {
    int index = -1;
    uint64_t device = 0;
};

// A network interface of a running kernel: its number for remove_net(), from 0 on, and
// the index that the kernel has for it, for netlink and ioctl.
struct NetId {
    int index = -1;
    int ifindex = 0;
};

// What a network interface's device has done since it was added. Frames are counted without
// the checksum, those with segmentation once; the kernel's driver has its own counts
// (Link::statistics). Going back to a snapshot does not change them.
struct NetDeviceStatistics {
    uint64_t received_frames = 0;  // that the kernel was given
    uint64_t received_bytes = 0;
    // That the kernel was not given: shorter than an Ethernet header, longer than a frame may
    // be, or with an offload that was not agreed on. One that nobody could receive for want
    // of buffers waits, and is no error; what comes while the cable is out is not counted.
    uint64_t receive_errors = 0;
    uint64_t sent_frames = 0;  // that the back end took, also those that the host refused
    uint64_t sent_bytes = 0;
    // Of the kernel, not as agreed, or refused by the host: its link is down, nobody is at
    // the other end any more. What a switch of VDE, slirp and passt took and lost, and what
    // functions of the program did with it, is not known.
    uint64_t send_errors = 0;
    uint64_t send_dropped = 0;  // of the kernel, while the cable was out
};

struct NetOptions {
    MacAddress mac{};           // all zero: the back end's, or a random one
    uint16_t mtu = 0;           // bytes without the Ethernet header; 0: the back end's
    uint16_t queue_size = 256;  // packets that wait at most; a power of two, 32 to 1024
    // NetOffload: what of the back end's offer is used.
    uint32_t transmit_offload = NetOffload::all;
    uint32_t receive_offload = NetOffload::all;
    // A received packet may be spread over several buffers. Without it, each buffer has
    // to be as long as the longest packet, 64 KiB with segmentation.
    bool mergeable_buffers = true;
};

// What a watchdog looks at: when calls are under way, none has ended since it looked
// last, and no disk is at work, the kernel hangs. (Calls that wait by their nature, such
// as those that read an empty pipe, look the same.) So it does when disk_bytes grows by many
// times disk_size while none ends: a loop that reads the disks.
struct Activity {
    uint64_t calls_ended = 0;  // since the start, of all threads
    uint32_t calls_under_way = 0;
    uint64_t disk_requests = 0;  // that back ends have completed
    uint32_t disk_requests_under_way = 0;
    uint64_t disk_bytes = 0;  // that these have read and written
    uint64_t disk_size = 0;   // bytes of all disks
};

// A running kernel. Movable; the destructor halts it. All functions may be
// called by any thread at any time, except that halt() and the destructor
// make calls in flight return -ESHUTDOWN.
//
// Threads of the library, which take none of the program's signals: `lkl`, one a kernel from
// start() to its end, runs the kernel where no thread of the program does; `lkl-time`, one a
// kernel, is its timer while `lkl` is in the kernel for long, and ends 2 seconds later;
// `lkl-halt` is there during a halt() whose thread has become a user that may not end the
// kernel. Those of disks are in lkl/disk.hpp, those of networks in lkl/net.hpp.
//
// fork(2): the kernel stays with the parent. In the child system calls return -ECHILD, halt()
// and what adds or removes a device fail with ECHILD, and the destructor does nothing; other
// functions are not for it. It may start a kernel of its own.
class Kernel {
public:
    // Boots a kernel. Errors: ENOENT (no image) and the others of open(2), ENOEXEC (image
    // of another version or damaged), EINVAL (size of the memory), E2BIG (the command line
    // is too long), ENOMEM (also: too few addresses are free), EFBIG (more memory than
    // RLIMIT_FSIZE lets a file have), EMFILE (the process has no descriptor left, or 256
    // kernels with `fault_handler`), EAGAIN (no thread), EIO (the kernel panicked; what
    // names why).
    static Result<Kernel> start(const KernelOptions& options = {});

    Kernel(Kernel&&) noexcept;
    Kernel& operator=(Kernel&&) noexcept;
    ~Kernel();

    // A system call of this kernel on behalf of the calling host thread, which
    // becomes one thread of the kernel's process 1. Returns what the kernel
    // returns: a value, or a negative errno. Arguments are integers or pointers
    // into this process. -ESHUTDOWN after halt(), -EIO after a panic, -ECHILD in a child
    // of fork(2), -EBUSY while a snapshot is made or restored. With a thread's first call
    // also -EAGAIN or -ENOMEM: there is no room for one more thread in the kernel
    // (kernel.threads-max) or this process; the next call tries again.
    template <typename... Args>
    long syscall(long number, Args... args) noexcept
    {
        static_assert(sizeof...(Args) <= 6, "a system call has at most six arguments");
        const std::array<long, 6> values{to_long(args)...};
        return call(number, values.data());
    }
    long call(long number, const long* args) noexcept;

    // Adds a virtio block device that stores its bytes in `backend`, and waits
    // until the kernel has read its partition table. A kernel has at most 56 devices, disks
    // and network interfaces together. Errors: ENOSPC (it has them), EIO (the kernel's
    // driver refused it), ESHUTDOWN, and the kernel's.
    Result<DiskId> add_disk(std::unique_ptr<BlockBackend> backend);
    // Removes it again: requests in flight finish first, and what was written since the last
    // flush is flushed. EBUSY while mounted. EIO: the flush has failed, so that a loss of power
    // may take back what was written; the disk is gone all the same. ENODEV: no such disk.
    Result<void> remove_disk(DiskId disk);
    // How many writes and flushes of a disk have failed since it was added. Its driver was told
    // of each; a file system that is just being unmounted tells nobody. 0: no such disk, or
    // the kernel has ended.
    uint64_t failed_writes(DiskId disk) const;

    // Adds a virtio network device whose packets go through `backend`; the interface
    // (eth0 is the first) is down, and has no address. The calling thread is in the
    // kernel's first network namespace. Errors: EINVAL, ENOSPC (as add_disk()), EIO
    // (the kernel has no driver for it), and the kernel's.
    Result<NetId> add_net(std::unique_ptr<NetBackend> backend, const NetOptions& options = {});
    // Removes it again, whatever uses it. ENODEV.
    Result<void> remove_net(NetId net);
    // Plugs its cable in or out; it is in at first. Packets get lost while it is out.
    // ENODEV.
    Result<void> set_net_link(NetId net, bool up);
    // Never waits for packets; it waits for a device that is being added or removed, so that
    // a kernel that hangs there may keep it. The numbers are of about the same time. ENODEV.
    Result<NetDeviceStatistics> net_statistics(NetId net) const;

    // Writes all file systems back, those of servers as well: a network file system that does
    // not answer keeps it as long as it would keep sync(2), FUSE servers until none has written
    // anything for 10 s; another thread can give up what waits for NFS and FUSE sooner, by
    // umount2(MNT_FORCE). What cannot be written back is in the kernel's log. Then it shuts the
    // kernel down, flushes the disks to which something was written since their last flush, and
    // frees everything it held. Further calls return -ESHUTDOWN. The calling thread may have any
    // user of the kernel's. Errors: EIO (the kernel panicked, before or meanwhile, or a disk could
    // not be flushed; what names why), ECHILD (this process was forked from the kernel's). With EIO
    // the kernel has ended all the same, and of one that panicked, too, the disks have been
    // flushed.
    Result<void> halt();

    // False after halt(), a panic, and a reboot(2) that has ended the kernel. Never waits
    // for the kernel.
    bool running() const noexcept;

    // Never waits for the kernel. The numbers are of about the same time.
    Activity activity() const;

    // The last lines of the kernel log after a panic; empty before.
    std::string panic_message() const;

private:
    template <typename T>
    static long to_long(T value)
    {
        if constexpr (std::is_null_pointer_v<T>)
            return 0;
        else if constexpr (std::is_pointer_v<T>)
            return reinterpret_cast<long>(value);
        else
            return static_cast<long>(value);
    }

    friend class Snapshot;
    class Impl;
    explicit Kernel(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace lkl
