// SPDX-License-Identifier: GPL-2.0-only
// Where the bytes of a disk can be: files, block devices, memory, and a
// copy-on-write layer over any of them.
//
// Each function makes a back end for Kernel::add_disk(). Errors come with a text
// that names the file or the limit. All may be called by any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <lkl/block.hpp>
#include <lkl/result.hpp>

namespace lkl {

// How requests reach the host when they cannot be finished at once.
enum class DiskEngine : uint8_t {
    automatic,  // io_uring where the host allows it, else threads
    io_uring,
    threads,
};

// What keeps two users of a file apart. Locks are open file description locks on
// the whole file (fcntl(2), F_OFD_SETLK), which other programs such as QEMU
// respect; a block device that is written to is opened with O_EXCL as well, which
// fails while it is mounted. A file that one of the host's loop devices stores in, which locks
// nothing, is in use for who would write, where sysfs tells. A lock that another holds is waited
// for up to a second: a program that was killed has it until its last requests have ended.
//
// The disks of one process are kept apart too, also those that are opened by one
// descriptor: several readers share one lock of the process, which ends with the last of
// them. To a child of fork(2) its parent's disks are another process's: to destroy the
// copies that it has of them closes descriptors, and ends no lock. Nothing keeps apart
// processes that open disks by the same open file description after the fork.
enum class DiskLock : uint8_t {
    automatic,  // exclusive for writing, shared for reading; none where the file
                // system of the file has no locks
    exclusive,  // nobody else; needs a file that is open for writing
    shared,     // other shared locks, no exclusive one
    none,       // and a lock that is there, by the descriptor given, is left alone
};

struct FileDiskOptions {
    bool read_only = false;
    bool direct = false;  // O_DIRECT: past the host's page cache
    DiskEngine engine = DiskEngine::automatic;
    DiskLock lock = DiskLock::automatic;
    bool claimed = false;     // the descriptor of a block device was opened with O_EXCL
    std::string serial = {};  // at most 20 bytes

    // 512 to 4096, a power of two; 0: the block device's own, or 512 for files
    // (with `direct`: what the host needs).
    uint32_t logical_block_size = 0;

    // The part of the file that is the disk, in bytes: a start that is a multiple
    // of 512, and a length; without one, up to the end.
    uint64_t offset = 0;
    std::optional<uint64_t> length = {};
};

// A disk in a regular file or a block device. What the kernel writes is in the
// host's page cache (unless `direct`) until the kernel flushes it, which is an
// fdatasync(2) of the host; writes that are durable by themselves have RWF_DSYNC.
//
// When the host fails to make something durable, nobody knows what else it has lost, and
// it says so only once. From then on every flush and every durable write fails with the
// first error, until the disk is opened anew; reads and other writes go on. The host says
// it once for each open file description: of two disks on one (DiskLock::none) one is told.
//
// A size that is not a multiple of the block size: when read only, the last block
// is padded with zeroes; for writing it is refused, since either the file would
// have to grow or its last bytes would be lost.
//
// Threads: none until a request may have to wait for the host, or is a read of 128 KiB or
// more through the page cache on a host of several CPUs; then one per disk for io_uring and
// up to 4 for calls that block and for long reads, or with DiskEngine::threads up to 8.
// They are called `lkl-disk`, end after 2 seconds without work, and have all signals
// blocked.
//
// Errors: the errno of open(2); EINVAL (options, size), ENOTBLK (neither a file
// nor a block device), EROFS (a block device that takes no writes), EBUSY (in use by
// another), ENOLCK (the lock asked for does
// not exist), ENOSYS (no io_uring, but asked for), ENOMEM, EMFILE.
Result<std::unique_ptr<BlockBackend>> open_file_disk(const std::string& path,
                                                     const FileDiskOptions& options = {});

// The same for an open descriptor, of which a duplicate is used: the caller's may
// be closed, and lock and mode belong to both. A lock that the caller has by it is there
// again afterwards, unless it is a shared one beside those of others. `name` is for error
// texts. It must be open for writing unless options.read_only, and with O_DIRECT if and only
// if options.direct.
//
// A block device is claimed for the disk by opening /proc/self/fd/N with O_EXCL, where the
// path would be opened with it. Where that is impossible, without /proc or the right to open
// the device, DiskLock::automatic goes without, and DiskLock::exclusive fails with ENOLCK.
// A descriptor that was itself opened with O_EXCL is recognized with CAP_SYS_ADMIN; without,
// the device is in use (EBUSY) unless options.claimed.
Result<std::unique_ptr<BlockBackend>> open_file_disk(int descriptor, const std::string& name,
                                                     const FileDiskOptions& options = {});

struct MemoryDiskOptions {
    bool read_only = false;
    std::string serial = {};  // at most 20 bytes
    uint32_t logical_block_size = 512;
};

// A disk in memory of its own, zeroed, not touched before use. `capacity` is a
// multiple of the block size. Errors: EINVAL, ENOMEM.
Result<std::unique_ptr<BlockBackend>> make_memory_disk(uint64_t capacity,
                                                       const MemoryDiskOptions& options = {});

// A disk in the caller's memory, which outlives it. A read-only disk does not
// write to it. Errors: EINVAL.
Result<std::unique_ptr<BlockBackend>> make_memory_disk(std::span<std::byte> memory,
                                                       const MemoryDiskOptions& options = {});

struct OverlayOptions {
    // Bytes of changed blocks to keep at most; a write beyond it fails with
    // -ENOSPC.
    uint64_t limit = ~0ull;
};

// A writable layer in memory over a disk that is never written to: changed blocks
// are kept in memory until the overlay is destroyed, everything else is read from
// `base`, which the overlay owns. Flushes succeed and make nothing durable.
// Errors: EINVAL.
Result<std::unique_ptr<BlockBackend>> make_overlay_disk(std::unique_ptr<BlockBackend> base,
                                                        const OverlayOptions& options = {});

}  // namespace lkl
