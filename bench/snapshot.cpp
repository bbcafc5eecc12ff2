// SPDX-License-Identifier: GPL-2.0-only
// What a fuzzer pays for an execution: to come back to a snapshot, and with it a mount of
// an ext4 image of 4 MiB in memory, ten operations and an unmount. One thread.
#include <array>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/mman.h>

#include <lkl/asm/unistd.h>
#include <lkl/disk.hpp>
#include <lkl/linux/fcntl.h>
#include <lkl/snapshot.hpp>

#include "figures.hpp"
#include "guest.hpp"
#include "harness.hpp"

namespace bench {

namespace {

constexpr size_t page = 4096;
constexpr int touched = 100;
constexpr int restores = 200;
constexpr int executions = 200;

std::vector<std::byte> small_ext4(const Run& run)
{
    const std::string path = run.directory + "/snapshot.img";
    const std::string command = "PATH=$PATH:/sbin:/usr/sbin; truncate -s 4M " + path +
                                " && mkfs.ext4 -q -F -b 1024 -E lazy_itable_init=0 " + path;
    if (std::system(command.c_str()) != 0)
        throw std::runtime_error("mkfs.ext4 failed");
    std::vector<std::byte> image(size_t{4} << 20);
    std::ifstream(path, std::ios::binary)
        .read(reinterpret_cast<char*>(image.data()), static_cast<std::streamsize>(image.size()));
    return image;
}

// Microseconds of one restore after writing to `touched` pages of the kernel's memory.
void measure_restore(Run& run)
{
    Guest guest;
    const long area = guest.call("mmap", __lkl__NR_mmap, nullptr, touched * page,
                                 PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    auto* const bytes = reinterpret_cast<char*>(area);
    auto snapshot = value_of(lkl::Snapshot::take(guest.kernel()));
    run.add({.name = "snapshot restored after 100 pages", .unit = "us", .target = at_most(300)},
            [&] {
                double time = 0;
                for (int i = 0; i < restores; ++i) {
                    for (int one = 0; one < touched; ++one)
                        bytes[static_cast<size_t>(one) * page] = 'x';
                    time += seconds([&] { value_of(snapshot.restore()); });
                    if (bytes[0] != 0)
                        throw std::runtime_error("the restore did nothing");
                }
                return time * 1e6 / restores;
            });
}

// Ten operations: two files, a directory, a rename, a look at each.
void use(Guest& guest)
{
    constexpr std::array<char, 3000> data{};
    const auto write = [&](const char* path) {
        const long fd = guest.call("openat", __lkl__NR_openat, LKL_AT_FDCWD, path,
                                   LKL_O_WRONLY | LKL_O_CREAT, 0644);
        guest.call("write", __lkl__NR_write, fd, data.data(), data.size());
        guest.call("close", __lkl__NR_close, fd);
    };
    write("/image/a");
    guest.call("mkdirat", __lkl__NR_mkdirat, LKL_AT_FDCWD, "/image/dir", 0755);
    write("/image/dir/b");
    guest.call("renameat2", __lkl__NR_renameat2, LKL_AT_FDCWD, "/image/a", LKL_AT_FDCWD,
               "/image/dir/c", 0);
    guest.call("truncate", __lkl__NR_truncate, "/image/dir/b", 100);
    guest.call("unlinkat", __lkl__NR_unlinkat, LKL_AT_FDCWD, "/image/dir/b", 0);
}

void measure_executions(Run& run)
{
    auto image = small_ext4(run);  // outlives the kernel
    Guest guest;
    lkl::Kernel& kernel = guest.kernel();
    const auto disk = value_of(kernel.add_disk(value_of(lkl::make_memory_disk(std::span(image)))));
    guest.call("mknodat", __lkl__NR_mknodat, LKL_AT_FDCWD, "/disk", 060600, disk.device);
    guest.call("mkdirat", __lkl__NR_mkdirat, LKL_AT_FDCWD, "/image", 0755);
    auto snapshot = value_of(lkl::Snapshot::take(kernel));
    run.add({.name = "ext4 executions with reset", .unit = "1/s", .target = at_least(300)}, [&] {
        const double time = seconds([&] {
            for (int i = 0; i < executions; ++i) {
                guest.call("mount", __lkl__NR_mount, "/disk", "/image", "ext4", 0, nullptr);
                use(guest);
                guest.call("umount2", __lkl__NR_umount2, "/image", 0);
                value_of(snapshot.restore());
            }
        });
        return executions / time;
    });
}

}  // namespace

void measure_snapshot(Run& run)
{
    measure_restore(run);
    measure_executions(run);
}

}  // namespace bench
