// SPDX-License-Identifier: GPL-2.0-only
#include <disk/host_file.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <platform/posix/cpus.hpp>

namespace lkl::disk {

namespace {

// Removes `bytes` from the front of what is left to transfer.
void advance(BlockRequest& request, size_t bytes) noexcept
{
    request.offset += bytes;
    request.length -= bytes;
    while (bytes > 0) {
        iovec& buffer = request.iov.front();
        const size_t part = std::min(bytes, buffer.iov_len);
        buffer.iov_base = static_cast<std::byte*>(buffer.iov_base) + part;
        buffer.iov_len -= part;
        bytes -= part;
        if (buffer.iov_len == 0)
            request.iov = request.iov.subspan(1);
    }
}

// Copies between a flat buffer and the request's front, without advancing.
void copy(const BlockRequest& request, std::byte* flat, size_t bytes, bool to_request) noexcept
{
    for (const iovec& buffer : request.iov) {
        const size_t part = std::min(bytes, buffer.iov_len);
        if (to_request)
            std::memcpy(buffer.iov_base, flat, part);
        else
            std::memcpy(flat, buffer.iov_base, part);
        flat += part;
        bytes -= part;
        if (bytes == 0)
            return;
    }
}

template <typename Call>
auto retry(Call call) noexcept
{
    for (;;) {
        const auto result = call();
        if (result >= 0 || errno != EINTR)
            return result;
    }
}

}  // namespace

int host_error(int error) noexcept
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return -ENOSPC;
    case EOPNOTSUPP:
        return -EOPNOTSUPP;
    default:
        return -EIO;
    }
}

ssize_t HostFile::transfer(BlockRequest& request, int flags) const noexcept
{
    const int count = static_cast<int>(std::min(request.iov.size(), max_buffers));
    const auto position = static_cast<off_t>(this->position(request));
    if (request.op == BlockOp::write && request.durable)
        flags |= RWF_DSYNC;
    const ssize_t result = request.op == BlockOp::read
                               ? ::preadv2(fd(), request.iov.data(), count, position, flags)
                               : ::pwritev2(fd(), request.iov.data(), count, position, flags);
    return result >= 0 ? result : -errno;
}

std::optional<int> HostFile::account(BlockRequest& request, ssize_t result) noexcept
{
    const bool read = request.op == BlockOp::read;
    if (result < 0) {
        // ECANCELED: io_uring gives requests up when the thread that brought them
        // ends. Nothing is wrong with the file.
        if (result == -EINTR || result == -EAGAIN || result == -ECANCELED)
            return std::nullopt;
        // A transfer always exists; no answer may turn off what it is not about.
        const int host = host_error(static_cast<int>(-result));
        const int error = host == -EOPNOTSUPP ? -EIO : host;
        return !read && request.durable ? lost(error) : error;
    }
    if (static_cast<uint64_t>(result) > request.length)
        return -EIO;  // cannot be; but it would make advance() run away
    advance(request, static_cast<size_t>(result));
    if (request.length == 0)
        return request.durable ? lost_.load(std::memory_order_acquire) : 0;
    if (read && request.offset >= shape_.size) {
        // The padding behind a file that does not end at the end of a block.
        for (const iovec& buffer : request.iov)
            std::memset(buffer.iov_base, 0, buffer.iov_len);
        return 0;
    }
    // No progress: the file was truncated under us.
    if (result == 0)
        return -EIO;
    return std::nullopt;
}

bool HostFile::worth_a_thread(const BlockRequest& request) const noexcept
{
    // Less than that is copied before another thread has it.
    constexpr uint64_t long_read = 128 << 10;
    return request.op == BlockOp::read && request.length >= long_read && !shape_.direct &&
           posix::cpus() > 1;
}

std::optional<int> HostFile::run_now(BlockRequest& request) noexcept
{
    const bool read = request.op == BlockOp::read;
    if (shape_.direct || (!read && (request.op != BlockOp::write || request.durable)))
        return std::nullopt;
    std::atomic<bool>& works = read ? reads_now_ : writes_now_;
    while (works.load(std::memory_order_relaxed)) {
        const ssize_t result = transfer(request, RWF_NOWAIT);
        if (result == -EAGAIN)
            return std::nullopt;
        if (result == -EOPNOTSUPP || result == -ENOSYS || result == -EINVAL) {
            // The file system does not offer it; EINVAL: the host kernel is too old
            // to know the flag. If the request itself is wrong, run() will tell.
            works.store(false, std::memory_order_relaxed);
            return std::nullopt;
        }
        if (const auto done = account(request, result))
            return done;
    }
    return std::nullopt;
}

int HostFile::run(BlockRequest& request) noexcept
{
    switch (request.op) {
    case BlockOp::read:
    case BlockOp::write:
        return run_transfer(request);
    case BlockOp::flush:
        return flush();
    case BlockOp::discard:
    case BlockOp::write_zeroes: {
        const int result =
            request.op == BlockOp::discard ? discard(request) : write_zeroes(request);
        return result == 0 && request.durable ? flush() : result;
    }
    }
    return -EOPNOTSUPP;
}

int HostFile::run_transfer(BlockRequest& request) noexcept
{
    for (;;) {
        const ssize_t result = transfer(request, 0);
        if (result == -EINVAL && shape_.direct)
            return run_bounced(request);
        if (const auto done = account(request, result))
            return *done;
    }
}

// O_DIRECT wants buffers in memory aligned as the device asks for, which the
// kernel's buffers need not be. Through an aligned one instead. The file offset is
// aligned, because the disk's logical block size is.
int HostFile::run_bounced(BlockRequest& request) noexcept
{
    constexpr size_t memory_alignment = 4096;
    constexpr size_t largest = 256 << 10;
    struct Free {
        void operator()(std::byte* memory) const noexcept { std::free(memory); }
    };
    const size_t size = std::min<uint64_t>(request.length, largest);
    const size_t rounded = (size + memory_alignment - 1) / memory_alignment * memory_alignment;
    const std::unique_ptr<std::byte, Free> buffer(
        static_cast<std::byte*>(std::aligned_alloc(memory_alignment, rounded)));
    if (!buffer)
        return -EIO;
    const bool read = request.op == BlockOp::read;
    for (;;) {
        const size_t part = std::min<uint64_t>(request.length, size);
        const auto position = static_cast<off_t>(this->position(request));
        // A read may go further than asked for, up to the next boundary; there is
        // room, and what is behind the end of the file is not read anyway.
        const size_t aligned = (part + shape_.alignment - 1) / shape_.alignment * shape_.alignment;
        if (!read)
            copy(request, buffer.get(), part, false);
        iovec flat{buffer.get(), read ? std::min(aligned, rounded) : part};
        ssize_t result =
            read ? ::preadv2(fd(), &flat, 1, position, 0)
                 : ::pwritev2(fd(), &flat, 1, position, request.durable ? RWF_DSYNC : 0);
        if (result < 0)
            result = -errno;
        if (result > static_cast<ssize_t>(part))
            result = static_cast<ssize_t>(part);
        if (read && result > 0)
            copy(request, buffer.get(), static_cast<size_t>(result), true);
        if (const auto done = account(request, result))
            return *done;
    }
}

// A failed fdatasync(), or write with RWF_DSYNC, makes Linux forget which pages were not
// written, of earlier writes as well, and says so only once: the next one would succeed
// without them (mm/filemap.c, file_check_and_advance_wb_err()). The disk must not claim
// that: from the first failure on, no flush and no durable write succeeds until the file
// is opened anew. What is not durable promises nothing, and goes on. Returns the first
// error.
int HostFile::lost(int error) noexcept
{
    int first = 0;
    lost_.compare_exchange_strong(first, error, std::memory_order_acq_rel);
    return first != 0 ? first : error;
}

int HostFile::flush() noexcept
{
    if (const int error = lost_.load(std::memory_order_acquire))
        return error;
    if (retry([this] { return ::fdatasync(fd()); }) == 0)
        return lost_.load(std::memory_order_acquire);
    const int host = host_error(errno);
    return lost(host == -EOPNOTSUPP ? -EIO : host);
}

int HostFile::discard(const BlockRequest& request) const noexcept
{
    uint64_t begin = position(request);
    uint64_t end = begin + request.length;
    int result = 0;
    if (shape_.block_device) {
        // Whole blocks alone; a discard may leave out what it likes.
        const uint64_t block = shape_.block_size;
        begin = (begin + block - 1) / block * block;
        end = end / block * block;
        if (begin >= end)
            return 0;
        std::array<uint64_t, 2> range{begin, end - begin};
        result = retry([&] { return ::ioctl(fd(), BLKDISCARD, range.data()); });
    } else {
        result = retry([&] {
            return ::fallocate(fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                               static_cast<off_t>(begin), static_cast<off_t>(end - begin));
        });
    }
    return result == 0 ? 0 : host_error(errno);
}

int HostFile::write_zeroes(const BlockRequest& request) const noexcept
{
    const uint64_t begin = position(request);
    const uint64_t length = request.length;
    int result = -1;
    if (shape_.block_device) {
        std::array<uint64_t, 2> range{begin, length};
        result = retry([&] { return ::ioctl(fd(), BLKZEROOUT, range.data()); });
    } else {
        // Without leave to deallocate, the range must keep its place on the host.
        const int mode = request.unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE;
        result = retry([&] {
            return ::fallocate(fd(), mode | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(begin),
                               static_cast<off_t>(length));
        });
    }
    if (result == 0)
        return 0;
    // Not offered by the file system, or a range that the device cannot take.
    if (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL || errno == ENOTTY)
        return write_zero_bytes(begin, length);
    return host_error(errno);
}

int HostFile::write_zero_bytes(uint64_t position, uint64_t length) const noexcept
{
    alignas(4096) static constexpr std::array<std::byte, 64 << 10> zeroes{};
    constexpr size_t most = 64;
    std::array<iovec, most> buffers;
    while (length > 0) {
        uint64_t planned = 0;
        int count = 0;
        while (planned < length && count < static_cast<int>(most)) {
            const size_t part = std::min<uint64_t>(length - planned, zeroes.size());
            buffers[count++] = {const_cast<std::byte*>(zeroes.data()), part};
            planned += part;
        }
        const ssize_t result = retry([&] {
            return ::pwritev2(fd(), buffers.data(), count, static_cast<off_t>(position), 0);
        });
        if (result < 0)
            return host_error(errno) == -ENOSPC ? -ENOSPC : -EIO;
        if (result == 0)
            return -EIO;
        position += static_cast<uint64_t>(result);
        length -= static_cast<uint64_t>(result);
    }
    return 0;
}

}  // namespace lkl::disk
