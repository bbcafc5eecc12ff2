// SPDX-License-Identifier: GPL-2.0-only
// The interface between the virtio block device and what stores its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <sys/uio.h>

namespace lkl {

enum class BlockOp : uint8_t { read, write, flush, discard, write_zeroes };

// One request. The device model owns it; the back end borrows it from
// submit() until it calls complete(), exactly once, from any thread, and must
// not look at it afterwards: it may be gone or in use again.
//
// While it has the request, the back end may change offset, length, iov (the
// span and the elements: what is left to do) and next. A fresh request has
// offset and length in multiples of 512, within the capacity.
struct BlockRequest {
    BlockOp op = BlockOp::read;
    bool unmap = false;            // write_zeroes: the range may be deallocated
    bool durable = false;          // write, discard, write_zeroes: on stable storage when complete
    uint64_t offset = 0;           // bytes
    uint64_t length = 0;           // bytes; the sum of iov for read and write
    std::span<iovec> iov;          // read, write: guest memory
    BlockRequest* next = nullptr;  // for the back end's own lists

    // 0 or a negative errno: -EIO for any failure of the host, -EOPNOTSUPP when
    // the operation does not exist here, -ENOSPC when the host is full.
    virtual void complete(int result) noexcept = 0;

protected:
    ~BlockRequest() = default;
};

// What a back end offers. Sizes in bytes.
struct BlockInfo {
    uint64_t capacity = 0;              // a multiple of 512
    uint32_t logical_block_size = 512;  // 512 to 4096, a power of two
    uint32_t physical_block_size = 0;   // 0: as logical
    uint32_t minimum_io_size = 0;       // 0: not known
    uint32_t optimal_io_size = 0;       // 0: not known
    uint64_t discard_granularity = 0;   // 0: as logical
    bool read_only = false;
    bool flush = true;  // has a volatile cache, honours BlockOp::flush
    bool discard = false;
    bool write_zeroes = false;
    std::string serial = {};  // at most 20 bytes
};

// Stores the bytes of one disk.
//
// Durability: a write that completed before a flush was submitted is on stable
// storage when that flush completes with 0.
//
// Threads: submit() is called by one thread at a time (the carrier, on a kernel
// stack of 32 KiB; the last flush of a disk that is taken out comes from who removes it or
// halts the kernel), and must not wait for the host's disk. poll_fd() and reap()
// let the kernel's background thread find completions; reap() is called by one
// thread at a time too, but may run at the same time as submit(). complete()
// must not be called with a lock held that submit() or reap() take.
//
// The destructor is called when no request is in flight.
class BlockBackend {
public:
    virtual ~BlockBackend() = default;

    virtual BlockInfo info() const = 0;

    // Start all requests, in one host call where possible. Requests that can be
    // finished at once may complete before submit() returns.
    virtual void submit(std::span<BlockRequest* const> requests) noexcept = 0;

    // A descriptor that polls readable while reap() has work, or -1 when the
    // back end completes from threads of its own (or only within submit()).
    virtual int poll_fd() const noexcept { return -1; }

    // Complete what is finished, without waiting. Returns how many.
    virtual size_t reap() noexcept { return 0; }

    // For snapshots of the kernel (lkl/snapshot.hpp); called while no request is in
    // flight, and only for disks that are not read-only. keep_contents(): what is stored
    // now is what restore_contents() brings back, as often as it is called, until
    // forget_contents(). False: this back end does not know how.
    virtual bool keep_contents() noexcept { return false; }
    virtual void restore_contents() noexcept {}
    virtual void forget_contents() noexcept {}
};

}  // namespace lkl
