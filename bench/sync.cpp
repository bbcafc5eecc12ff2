// SPDX-License-Identifier: GPL-2.0-only
// Durable writes: pwrite(2) of 4 KiB at one place of a file after the other, each
// followed by fsync(2), on ext4 with its journal; calls a second. The peer is the
// host's loop mount of an image of its own, made alike. Each fsync ends in an
// fdatasync of the image file by our kernel's disk or by the loop device.
//
//   on disk     images in the run's directory: what its disk takes for a flush
//   in memory   images on /dev/shm, where a flush costs nothing: what the kernels
//               take for it
#include <array>
#include <filesystem>

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <lkl/asm/unistd.h>
#include <lkl/linux/fcntl.h>

#include "figures.hpp"
#include "guest.hpp"
#include "harness.hpp"
#include "host.hpp"
#include "images.hpp"

namespace bench {

namespace {

constexpr size_t block = 4096;

// write(data, offset) writes a block, sync() makes it durable.
template <typename Write, typename Sync>
double per_second(int times, Write&& write, Sync&& sync)
{
    static uint64_t position = 0;
    std::array<char, block> data;
    data.fill('x');
    const double time = seconds([&] {
        for (int i = 0; i < times; ++i) {
            position = (position + block) % log_size;
            if (write(data.data(), position) != static_cast<long>(block) || sync() != 0)
                throw std::runtime_error("a write or fsync failed");
        }
    });
    return times / time;
}

void measure(Run& run, Row row, const std::string& ours, const std::string& theirs, int times)
{
    const std::string directory = make_directory(run, "mount");
    row.unit = "1/s";
    row.peer_name = "the same on the host's loop mount";

    Guest guest;
    guest.add_disk(ours, false);
    guest.remount("ext4", false);
    const std::string path = guest.path() + "/log";
    lkl::Kernel& kernel = guest.kernel();
    const long fd = guest.call("open", __lkl__NR_openat, LKL_AT_FDCWD, path.c_str(), LKL_O_WRONLY);
    {
        const LoopMount mount(theirs, directory, "ext4", 0);
        const Descriptor file = Descriptor::open(directory + "/log", O_WRONLY);
        run.add(
            std::move(row),
            [&] {
                return per_second(
                    times,
                    [&](const char* data, uint64_t offset) {
                        return kernel.syscall(__lkl__NR_pwrite64, fd, data, block, offset);
                    },
                    [&] { return kernel.syscall(__lkl__NR_fsync, fd); });
            },
            [&] {
                return per_second(
                    times,
                    [&](const char* data, uint64_t offset) {
                        return ::pwrite(file.get(), data, block, static_cast<off_t>(offset));
                    },
                    [&] { return ::fsync(file.get()); });
            });
    }
    guest.call("close", __lkl__NR_close, fd);
    guest.halt();
}

// A directory below /dev/shm that goes with this object.
class MemoryDirectory {
public:
    MemoryDirectory()
    {
        std::string name = "/dev/shm/lkl-bench.XXXXXX";
        if (!::mkdtemp(name.data()))
            throw Skipped("no directory on /dev/shm");
        path_ = name;
    }
    MemoryDirectory(const MemoryDirectory&) = delete;
    MemoryDirectory& operator=(const MemoryDirectory&) = delete;
    ~MemoryDirectory()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

}  // namespace

void measure_sync(Run& run)
{
    need_root();
    measure(run, {.name = "write+fsync of 4 KiB, on disk", .target = ratio_at_least(1.0)},
            writable_image(make_directory(run, "ours")),
            writable_image(make_directory(run, "theirs")), 200);

    const MemoryDirectory memory;
    Run there;
    there.directory = memory.path();
    measure(run, {.name = "write+fsync of 4 KiB, in memory"},
            writable_image(make_directory(there, "ours")),
            writable_image(make_directory(there, "theirs")), 5000);
}

}  // namespace bench
