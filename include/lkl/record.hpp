// SPDX-License-Identifier: GPL-2.0-only
// What a disk was asked to write, in order, and what would be left of it after a loss
// of power: for those who develop file systems and databases, and for our own tests.
//
//     auto log = lkl::BlockLog();
//     auto disk = lkl::make_recording_disk(std::move(backend), log);
//     ... Kernel::add_disk(), mount, write, fsync; log.position() says when ...
//     auto left = lkl::make_cut_disk(copy of the disk before, log, {.position = 1234});
//     ... Kernel::add_disk(), mount: is everything there? ...
//
// The rules are those of the two sides of a volatile write cache: VIRTIO 1.2, 5.2.6.2
// ("a flush request ... ensures that all preceding writes that were completed are on
// stable storage"), and Documentation/block/writeback_cache_control.rst of Linux, which
// file systems are written for (REQ_PREFLUSH: what completed before the flush was sent;
// REQ_FUA: this very write, when it completes).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include <lkl/block.hpp>
#include <lkl/result.hpp>

namespace lkl {

// A request that changes the disk or makes changes durable, as it was logged.
struct BlockRecord {
    // Where in the log something is that has not happened.
    static constexpr uint64_t never = ~0ull;

    BlockOp op = BlockOp::write;  // any but read
    bool unmap = false;           // as in BlockRequest
    bool durable = false;
    uint64_t offset = 0;          // bytes
    uint64_t length = 0;          // bytes
    uint64_t submitted = 0;       // position of this event
    uint64_t completed = never;   // position of this event, or never
    int result = 0;               // 0 or a negative errno, once completed
    std::vector<std::byte> data;  // of a write, as it was when submitted
};

// The log of one disk. Each submission of a request and each completion is an event;
// a position counts the events before it. A completion is in the log before the guest
// can know of it, a submission before the base can. All is in memory: what was
// written takes as much there.
class BlockLog {
public:
    BlockLog() = default;
    BlockLog(const BlockLog&) = delete;
    BlockLog& operator=(const BlockLog&) = delete;

    // How many events there are. Any thread, at any time: what happened before the
    // call is below.
    uint64_t position() const;

    // In the order of their submission. While nobody records.
    const std::deque<BlockRecord>& records() const { return records_; }

    // Forgets everything. While no request is in flight.
    void clear();

    // For recorders. The place of the record is given back at the completion. Throws
    // std::bad_alloc.
    size_t submitted(const BlockRequest& request);
    void completed(size_t record, int result) noexcept;

private:
    mutable std::mutex mutex_;
    std::deque<BlockRecord> records_;
    uint64_t position_ = 0;
};

// Passes all requests on to `base`, which it owns, and logs those that are not reads.
// `log` outlives it and has no other recorder. The disk has a volatile cache, whatever
// `base` says, so that the guest sends its flushes. A write that cannot be logged for
// want of memory fails with -EIO and does not reach `base`. Errors: EINVAL.
Result<std::unique_ptr<BlockBackend>> make_recording_disk(std::unique_ptr<BlockBackend> base,
                                                          BlockLog& log);

// A loss of power. The same cut of the same log leaves the same disk.
struct PowerCut {
    uint64_t position = 0;  // events of the log that had happened
    uint64_t seed = 0;      // chooses among what may be left

    // Bytes that are written whole or not at all: 512 to 4096, a power of two. Linux
    // says that of a disk's physical blocks (/sys/block/<disk>/queue/
    // physical_block_size: "the smallest unit a physical storage device can write
    // atomically", Documentation/ABI/stable/sysfs-block); a sector is the least.
    uint32_t atomic = 512;
};

// A disk as a loss of power leaves it, writable in memory. `base` has the bytes of
// before the log began; it is owned, and never written to. `log` is not needed
// afterwards, and nobody records into it meanwhile.
//
// There is what was promised: all that had completed with 0 when the last flush that
// had completed with 0 was submitted, and all that was durable by itself and had
// completed with 0. Of everything else that was submitted, each unit of `atomic` bytes is
// there or not, whatever became of its neighbours and of later ones; of two requests
// that were in flight together, either may have been the later. With what probability
// is drawn for each cut; in one of four, whole requests are there or not. What was
// discarded is what it was, zeroes, or noise.
//
// Takes time and memory in proportion to the log. Errors: EINVAL, ENOMEM.
Result<std::unique_ptr<BlockBackend>> make_cut_disk(std::unique_ptr<BlockBackend> base,
                                                    const BlockLog& log, const PowerCut& cut);

}  // namespace lkl
