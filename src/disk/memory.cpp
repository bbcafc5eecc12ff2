// SPDX-License-Identifier: GPL-2.0-only
// Disks in memory. Every request completes within submit().
#include <bit>
#include <cerrno>
#include <cstring>

#include <sys/mman.h>

#include <disk/serial.hpp>
#include <disk/undo_log.hpp>
#include <lkl/disk.hpp>

namespace lkl {

namespace {

class MemoryDisk final : public BlockBackend {
public:
    MemoryDisk(std::span<std::byte> memory, bool owned, const MemoryDiskOptions& options)
        : memory_(memory), owned_(owned)
    {
        info_.capacity = memory.size();
        info_.logical_block_size = options.logical_block_size;
        info_.read_only = options.read_only;
        info_.flush = false;  // nothing is more durable than the memory itself
        info_.discard = owned && !options.read_only;
        info_.discard_granularity = page;
        info_.write_zeroes = !options.read_only;
        info_.serial = options.serial;
    }

    ~MemoryDisk() override
    {
        if (owned_)
            ::munmap(memory_.data(), memory_.size());
    }
    MemoryDisk(const MemoryDisk&) = delete;
    MemoryDisk& operator=(const MemoryDisk&) = delete;

    BlockInfo info() const override { return info_; }

    bool keep_contents() noexcept override { return undo_.start(memory_); }
    void restore_contents() noexcept override { undo_.undo(memory_); }
    void forget_contents() noexcept override { undo_.stop(); }

    void submit(std::span<BlockRequest* const> requests) noexcept override
    {
        for (BlockRequest* const request : requests)
            request->complete(run(*request));
    }

private:
    static constexpr size_t page = 4096;

    int run(const BlockRequest& request) noexcept
    {
        if (request.op == BlockOp::flush)
            return 0;
        if (request.op != BlockOp::read && info_.read_only)
            return -EIO;
        if (request.op != BlockOp::read &&
            !undo_.before_change(memory_, request.offset, request.length))
            return -ENOSPC;
        std::byte* at = memory_.data() + request.offset;
        switch (request.op) {
        case BlockOp::read:
            for (const iovec& buffer : request.iov) {
                std::memcpy(buffer.iov_base, at, buffer.iov_len);
                at += buffer.iov_len;
            }
            return 0;
        case BlockOp::write:
            for (const iovec& buffer : request.iov) {
                std::memcpy(at, buffer.iov_base, buffer.iov_len);
                at += buffer.iov_len;
            }
            return 0;
        case BlockOp::discard:
            if (!owned_)
                return -EOPNOTSUPP;
            clear(at, request.length);
            return 0;
        case BlockOp::write_zeroes:
            if (owned_ && request.unmap)
                clear(at, request.length);
            else
                std::memset(at, 0, request.length);
            return 0;
        case BlockOp::flush:
            break;
        }
        return -EOPNOTSUPP;
    }

    // Zeroes, and gives whole pages back to the host.
    void clear(std::byte* at, size_t length) noexcept
    {
        const size_t head = -reinterpret_cast<uintptr_t>(at) & (page - 1);
        const size_t whole = length > head ? (length - head) & ~(page - 1) : 0;
        if (whole == 0 || ::madvise(at + head, whole, MADV_DONTNEED) != 0) {
            std::memset(at, 0, length);
            return;
        }
        std::memset(at, 0, head);
        std::memset(at + head + whole, 0, length - head - whole);
    }

    const std::span<std::byte> memory_;
    const bool owned_;
    BlockInfo info_;
    disk::UndoLog undo_;
};

Result<void> check(uint64_t capacity, const MemoryDiskOptions& options)
{
    const uint32_t block = options.logical_block_size;
    if (block < 512 || block > 4096 || !std::has_single_bit(block))
        return Error{EINVAL, "memory disk: the logical block size is none of 512 to 4096"};
    if (capacity == 0 || capacity % block != 0)
        return Error{EINVAL, "memory disk: the capacity is not a multiple of the block size"};
    if (options.serial.size() > disk::serial_size)
        return Error{EINVAL, "memory disk: the serial number is longer than 20 bytes"};
    return {};
}

}  // namespace

Result<std::unique_ptr<BlockBackend>> make_memory_disk(uint64_t capacity,
                                                       const MemoryDiskOptions& options)
{
    if (auto checked = check(capacity, options); !checked)
        return std::move(checked).error();
    void* const memory = ::mmap(nullptr, capacity, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return Error{ENOMEM, "memory disk: no room for " + std::to_string(capacity) + " bytes"};
    return std::unique_ptr<BlockBackend>(std::make_unique<MemoryDisk>(
        std::span(static_cast<std::byte*>(memory), capacity), true, options));
}

Result<std::unique_ptr<BlockBackend>> make_memory_disk(std::span<std::byte> memory,
                                                       const MemoryDiskOptions& options)
{
    if (auto checked = check(memory.size(), options); !checked)
        return std::move(checked).error();
    return std::unique_ptr<BlockBackend>(std::make_unique<MemoryDisk>(memory, false, options));
}

}  // namespace lkl
