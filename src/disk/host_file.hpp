// SPDX-License-Identifier: GPL-2.0-only
// An open file or block device of the host, and requests carried out on it.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

#include <sys/types.h>

#include <lkl/block.hpp>

#include <disk/claim.hpp>
#include <platform/posix/descriptor.hpp>

namespace lkl::disk {

// Owns the descriptor, and what keeps others off the file. All functions are thread
// safe, as long as each request is given to one of them at a time.
class HostFile {
public:
    struct Shape {
        bool block_device = false;
        bool direct = false;        // opened with O_DIRECT
        uint64_t start = 0;         // where in the file the disk begins
        uint64_t size = 0;          // bytes of the disk that the file has; those
                                    // beyond, up to the capacity, read as zero
        uint32_t block_size = 512;  // what discards of a device are aligned to
        uint32_t alignment = 512;   // of file offsets, with O_DIRECT
    };

    HostFile(posix::Descriptor fd, const Shape& shape, Claim claim) noexcept
        : claim_(std::move(claim)), fd_(std::move(fd)), shape_(shape)
    {
    }
    HostFile(const HostFile&) = delete;
    HostFile& operator=(const HostFile&) = delete;

    int fd() const noexcept { return fd_.get(); }
    const Shape& shape() const noexcept { return shape_; }
    uint64_t position(const BlockRequest& request) const noexcept
    {
        return shape_.start + request.offset;
    }

    // A buffered read so long that another thread had better copy the data, beside
    // the carrier.
    bool worth_a_thread(const BlockRequest& request) const noexcept;

    // Finishes the request if that is possible without waiting for the disk: data
    // that is in the host's page cache, or fits there. Otherwise nothing or a part
    // of it is done, and the request is what is left.
    std::optional<int> run_now(BlockRequest& request) noexcept;

    // Carries the request out, however long it takes. Returns what to complete it
    // with.
    int run(BlockRequest& request) noexcept;

    // Takes the result of one call of the host (bytes or a negative errno) for a
    // read or write into account. Returns what to complete the request with, or
    // nothing when the rest of it must be tried again.
    std::optional<int> account(BlockRequest& request, ssize_t result) noexcept;

private:
    ssize_t transfer(BlockRequest& request, int flags) const noexcept;
    int run_transfer(BlockRequest& request) noexcept;
    int run_bounced(BlockRequest& request) noexcept;
    int flush() noexcept;
    int lost(int error) noexcept;
    int discard(const BlockRequest& request) const noexcept;
    int write_zeroes(const BlockRequest& request) const noexcept;
    int write_zero_bytes(uint64_t position, uint64_t length) const noexcept;

    const Claim claim_;
    const posix::Descriptor fd_;
    const Shape shape_;
    std::atomic<bool> reads_now_{true};   // RWF_NOWAIT works for reads
    std::atomic<bool> writes_now_{true};  // and for writes
    std::atomic<int> lost_{0};            // see lost()
};

// The largest number of buffers for one call (IOV_MAX of Linux).
constexpr size_t max_buffers = 1024;

// The result to complete a request with, for an errno of the host.
int host_error(int error) noexcept;

}  // namespace lkl::disk
