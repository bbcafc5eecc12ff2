// SPDX-License-Identifier: GPL-2.0-only
// Opening a file or block device as a disk: size, block sizes.
#include <lkl/disk.hpp>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <disk/claim.hpp>
#include <disk/file_engine.hpp>
#include <disk/serial.hpp>
#include <platform/posix/descriptor.hpp>

namespace lkl {

using disk::HostFile;
using disk::OpenFile;
using posix::Descriptor;

namespace {

constexpr uint64_t sector = 512;
constexpr uint32_t largest_block = 4096;

Error failure(const std::string& name, const std::string& what, int code)
{
    return {code, name + ": " + what};
}

Error system_failure(const std::string& name, const std::string& what, int code)
{
    char buffer[128];
    return failure(name, what + ": " + ::strerror_r(code, buffer, sizeof buffer), code);
}

Result<void> check_options(const std::string& name, const FileDiskOptions& options)
{
    if (options.serial.size() > disk::serial_size)
        return failure(name, "the serial number is longer than 20 bytes", EINVAL);
    const uint32_t block = options.logical_block_size;
    if (block != 0 && (block < sector || block > largest_block || !std::has_single_bit(block)))
        return failure(name, "the logical block size is none of 512, 1024, 2048, 4096", EINVAL);
    if (options.offset % sector != 0)
        return failure(name, "the offset is not a multiple of 512", EINVAL);
    if (options.lock == DiskLock::exclusive && options.read_only)
        return failure(name, "an exclusive lock needs a file that is open for writing", EINVAL);
    return {};
}

// A number in the block layer's description of a device.
uint64_t queue_limit(dev_t device, const char* limit)
{
    char path[96];
    for (const char* form : {"/sys/dev/block/%u:%u/queue/%s", "/sys/dev/block/%u:%u/../queue/%s"}) {
        std::snprintf(path, sizeof path, form, major(device), minor(device), limit);
        const Descriptor fd(::open(path, O_RDONLY | O_CLOEXEC));
        char text[32] = {};
        if (fd.get() >= 0 && ::read(fd.get(), text, sizeof text - 1) > 0)
            return std::strtoull(text, nullptr, 10);
    }
    return 0;
}

struct Geometry {
    uint64_t size = 0;
    uint32_t least_block = 512;  // what the host can address
    BlockInfo info;
};

Result<Geometry> read_device(int fd, const std::string& name, dev_t device, bool read_only)
{
    // Opening such a device for writing succeeds; each write would fail.
    int refuses_writes = 0;
    if (!read_only && ::ioctl(fd, BLKROGET, &refuses_writes) == 0 && refuses_writes != 0)
        return failure(name, "cannot open for writing: the device is read-only", EROFS);
    Geometry geometry;
    int logical = 0;
    unsigned physical = 0;
    unsigned minimum = 0;
    unsigned optimal = 0;
    if (::ioctl(fd, BLKGETSIZE64, &geometry.size) != 0 || ::ioctl(fd, BLKSSZGET, &logical) != 0)
        return system_failure(name, "cannot read the size of the device", errno);
    if (logical < static_cast<int>(sector) || logical > static_cast<int>(largest_block))
        return failure(name, "blocks of " + std::to_string(logical) + " bytes are not supported",
                       EINVAL);
    // Hints; a device without them leaves zeroes.
    ::ioctl(fd, BLKPBSZGET, &physical);
    ::ioctl(fd, BLKIOMIN, &minimum);
    ::ioctl(fd, BLKIOOPT, &optimal);
    geometry.least_block = static_cast<uint32_t>(logical);
    geometry.info.logical_block_size = geometry.least_block;
    geometry.info.physical_block_size = physical;
    geometry.info.minimum_io_size = minimum;
    geometry.info.optimal_io_size = optimal;
    geometry.info.discard = queue_limit(device, "discard_max_bytes") != 0;
    geometry.info.discard_granularity = queue_limit(device, "discard_granularity");
    return geometry;
}

Geometry read_regular(int fd, const struct stat& status, bool direct)
{
    Geometry geometry;
    geometry.size = static_cast<uint64_t>(status.st_size);
    if (direct) {
        struct statx extended {};
        geometry.least_block = largest_block;  // works everywhere
        if (::statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &extended) == 0 &&
            (extended.stx_mask & STATX_DIOALIGN) && extended.stx_dio_offset_align != 0)
            geometry.least_block = std::clamp<uint32_t>(
                std::bit_ceil(extended.stx_dio_offset_align), sector, largest_block);
    }
    geometry.info.logical_block_size = geometry.least_block;
    // The host's page: smaller writes make it read the rest of the page first.
    geometry.info.physical_block_size = largest_block;
    geometry.info.discard = true;
    if (status.st_blksize > 0 && status.st_blksize <= 1 << 30)
        geometry.info.discard_granularity = static_cast<uint64_t>(status.st_blksize);
    return geometry;
}

// Which part of the file the disk is.
Result<HostFile::Shape> place(const std::string& name, const FileDiskOptions& options,
                              Geometry& geometry)
{
    HostFile::Shape shape;
    BlockInfo& info = geometry.info;
    if (options.logical_block_size != 0) {
        if (options.direct && options.logical_block_size < geometry.least_block)
            return failure(
                name,
                "O_DIRECT needs blocks of " + std::to_string(geometry.least_block) + " bytes here",
                EINVAL);
        info.logical_block_size = options.logical_block_size;
    }
    const uint64_t block = info.logical_block_size;
    if (options.direct && options.offset % geometry.least_block != 0)
        return failure(name,
                       "O_DIRECT needs an offset that is a multiple of " +
                           std::to_string(geometry.least_block) + " here",
                       EINVAL);
    if (options.offset > geometry.size)
        return failure(name, "the offset is behind the end", EINVAL);
    const uint64_t rest = geometry.size - options.offset;
    if (options.length && *options.length > rest)
        return failure(name,
                       "the disk ends behind the end of the image, which has " +
                           std::to_string(geometry.size) + " bytes",
                       EINVAL);
    shape.start = options.offset;
    shape.size = options.length.value_or(rest);
    info.capacity = shape.size;
    if (shape.size % block != 0) {
        if (!options.read_only || shape.size != rest)
            return failure(name,
                           "the size of " + std::to_string(shape.size) +
                               " bytes is not a multiple of the block size of " +
                               std::to_string(block) + "; open it read-only, or extend the image",
                           EINVAL);
        // Checked against overflow: a file is smaller than 2^63 bytes.
        info.capacity = (shape.size + block - 1) / block * block;
    }
    shape.direct = options.direct;
    shape.block_size = geometry.least_block;
    shape.alignment = geometry.least_block;
    return shape;
}

Result<std::unique_ptr<BlockBackend>> make_disk(Descriptor fd, const std::string& name,
                                                const FileDiskOptions& options)
{
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0)
        return system_failure(name, "cannot be examined", errno);
    const bool device = S_ISBLK(status.st_mode);
    if (!device && !S_ISREG(status.st_mode))
        return failure(name, "neither a regular file nor a block device", ENOTBLK);
    auto claim = disk::claim(fd.get(), status, name, options);
    if (!claim)
        return std::move(claim).error();

    // After the claim: nobody that respects it changes the size any more.
    Geometry geometry;
    if (device) {
        auto read = read_device(fd.get(), name, status.st_rdev, options.read_only);
        if (!read)
            return std::move(read).error();
        geometry = std::move(*read);
    } else {
        if (::fstat(fd.get(), &status) != 0)
            return system_failure(name, "cannot be examined", errno);
        geometry = read_regular(fd.get(), status, options.direct);
    }
    auto shape = place(name, options, geometry);
    if (!shape)
        return std::move(shape).error();
    shape->block_device = device;
    BlockInfo& info = geometry.info;
    info.read_only = options.read_only;
    info.flush = !options.read_only;
    info.discard = info.discard && !options.read_only;
    info.write_zeroes = !options.read_only;
    info.serial = options.serial;

    OpenFile open{std::make_unique<HostFile>(std::move(fd), *shape, *std::move(claim)),
                  std::move(info), name};
    if (options.engine != DiskEngine::threads) {
        auto made = disk::make_io_uring_disk(open);
        if (made || options.engine == DiskEngine::io_uring)
            return made;
    }
    return disk::make_threads_disk(open);
    // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks): `open` owns what nobody took
}

}  // namespace

Result<std::unique_ptr<BlockBackend>> open_file_disk(const std::string& path,
                                                     const FileDiskOptions& options)
{
    if (auto checked = check_options(path, options); !checked)
        return std::move(checked).error();
    // Opening a FIFO would wait for its other end, and a terminal has side effects.
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        return system_failure(path, "cannot open", errno);
    if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
        return failure(path, "neither a regular file nor a block device", ENOTBLK);

    int flags = O_CLOEXEC | O_NOCTTY | (options.read_only ? O_RDONLY : O_RDWR);
    if (options.direct)
        flags |= O_DIRECT;
    // For a block device: fail while it is mounted or part of an array.
    FileDiskOptions opened = options;
    opened.claimed = S_ISBLK(status.st_mode) && disk::wants_device_alone(options);
    if (opened.claimed)
        flags |= O_EXCL;
    Descriptor fd(disk::patiently([&] { return ::open(path.c_str(), flags); }));
    if (fd.get() < 0) {
        if (errno == EBUSY && opened.claimed)
            return disk::device_in_use(path);
        if (errno == EINVAL && options.direct)
            return failure(path, "the file system of the image does not offer O_DIRECT", EINVAL);
        return system_failure(path, options.read_only ? "cannot open" : "cannot open for writing",
                              errno);
    }
    return make_disk(std::move(fd), path, opened);
}

Result<std::unique_ptr<BlockBackend>> open_file_disk(int descriptor, const std::string& name,
                                                     const FileDiskOptions& options)
{
    if (auto checked = check_options(name, options); !checked)
        return std::move(checked).error();
    Descriptor fd(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
    if (fd.get() < 0)
        return system_failure(name, "cannot use the descriptor", errno);
    const int flags = ::fcntl(fd.get(), F_GETFL);
    const int mode = flags & O_ACCMODE;
    if (flags < 0 || (flags & O_PATH) || mode == O_WRONLY ||
        (mode == O_RDONLY && !options.read_only))
        return failure(name, "the descriptor is not open for this use", EBADF);
    if (((flags & O_DIRECT) != 0) != options.direct)
        return failure(name, "the descriptor and the option `direct` do not agree", EINVAL);
    if (flags & O_APPEND)
        return failure(name, "the descriptor is open for appending", EINVAL);
    return make_disk(std::move(fd), name, options);
}

}  // namespace lkl
