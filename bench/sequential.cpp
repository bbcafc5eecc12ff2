// SPDX-License-Identifier: GPL-2.0-only
// Sequential reading of a file of 1 GiB on ext4 and XFS, read(2) of 1 MiB a time into the
// same buffer. The image is in the host's page cache all the time; the peer is the
// host's own mount of it over a loop device, which reads it from there too.
//
//   cold   each round mounts anew, so that nothing of the file is in the page cache
//          of the kernel that reads. Ours has 64 MiB, and so also gives pages up
//          while it reads; with 2 GiB it has not touched its memory before.
//   hot    the whole file is in the page cache of the kernel that reads (ours has
//          2 GiB).
//
// XFS, since our Linux reads it in folios of many pages, as the host does; ext4 has
// them from Linux 6.16 on.
#include <stdexcept>
#include <vector>

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

constexpr size_t buffer_size = size_t{1} << 20;
constexpr uint64_t large_memory = uint64_t{2} << 30;
const char* const peer_name = "the host's loop mount of the same image";

// Calls read(buffer, size) up to the end of the file; GB/s.
template <typename Read>
double gigabytes_per_second(Read&& read)
{
    static std::vector<char> buffer(buffer_size);
    uint64_t total = 0;
    const double time = seconds([&] {
        for (long n = 0; (n = read(buffer.data(), buffer.size())) > 0;)
            total += static_cast<uint64_t>(n);
    });
    if (total != data_size)
        throw std::runtime_error("the file was not read to its end");
    return static_cast<double>(total) / time / 1e9;
}

double host_read(const std::string& directory)
{
    const Descriptor file = Descriptor::open(directory + "/data", O_RDONLY);
    return gigabytes_per_second(
        [&file](char* to, size_t size) { return ::read(file.get(), to, size); });
}

double our_read(Guest& guest)
{
    const std::string path = guest.path() + "/data";
    const long fd = guest.call("open", __lkl__NR_openat, LKL_AT_FDCWD, path.c_str(), LKL_O_RDONLY);
    const double speed = gigabytes_per_second([&guest, fd](char* to, size_t size) {
        return guest.kernel().syscall(__lkl__NR_read, fd, to, size);
    });
    guest.call("close", __lkl__NR_close, fd);
    return speed;
}

Row row(const std::string& how)
{
    return {.name = "sequential read, " + how, .unit = "GB/s", .peer_name = peer_name};
}

class Sequential {
public:
    Sequential(Run& run, std::string type, std::string image)
        : run_(run),
          type_(std::move(type)),
          image_(std::move(image)),
          directory_(make_directory(run, "mount"))
    {
        warm(image_);
    }

    void cold(Row row)
    {
        Guest guest;
        guest.add_disk(image_, true);
        run_.add(
            std::move(row),
            [this, &guest] {
                guest.remount(type_, true);
                return our_read(guest);
            },
            [this] { return host_cold(); });
        guest.halt();
    }

    // A kernel a round: memory that was never touched.
    void cold_untouched(Row row)
    {
        run_.add(
            std::move(row),
            [this] {
                Guest guest(large_memory);
                guest.add_disk(image_, true);
                guest.remount(type_, true);
                const double speed = our_read(guest);
                guest.halt();
                return speed;
            },
            [this] { return host_cold(); });
    }

    void hot(Row row)
    {
        const LoopMount mount(image_, directory_, type_, MS_RDONLY);
        Guest guest(large_memory);
        guest.add_disk(image_, true);
        guest.remount(type_, true);
        run_.add(
            std::move(row), [&guest] { return our_read(guest); },
            [this] { return host_read(directory_); });
        guest.halt();
    }

private:
    double host_cold() const
    {
        const LoopMount mount(image_, directory_, type_, MS_RDONLY);
        return host_read(directory_);
    }

    Run& run_;
    const std::string type_;
    const std::string image_;
    const std::string directory_;
};

}  // namespace

void measure_sequential(Run& run)
{
    need_root();
    Sequential ext4(run, "ext4", data_image(run));
    Row cold = row("cold"), hot = row("hot");
    cold.target = hot.target = ratio_at_least(1.0);
    ext4.cold(cold);
    ext4.cold_untouched(row("cold, memory of 2 GiB untouched"));
    ext4.hot(hot);

    Sequential xfs(run, "xfs", data_image_xfs(run));
    xfs.cold(row("cold, XFS"));
    xfs.hot(row("hot, XFS"));
}

}  // namespace bench
