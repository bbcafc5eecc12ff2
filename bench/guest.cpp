// SPDX-License-Identifier: GPL-2.0-only
#include "guest.hpp"

#include <array>
#include <cstring>
#include <stdexcept>

#include <lkl/asm/unistd.h>
#include <lkl/disk.hpp>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/mount.h>

namespace bench {

namespace {

lkl::Kernel start(uint64_t memory)
{
    lkl::KernelOptions options;
    options.memory = memory;
    return value_of(lkl::Kernel::start(options));
}

}  // namespace

Guest::Guest(uint64_t memory) : kernel_(std::make_unique<lkl::Kernel>(start(memory))) {}

void Guest::fail(const char* what, long result)
{
    throw std::runtime_error(std::string("in our kernel: ") + what + ": " +
                             std::strerror(static_cast<int>(-result)));
}

void Guest::add_disk(const std::string& image, bool read_only)
{
    lkl::FileDiskOptions options;
    options.read_only = read_only;
    disk_ = value_of(kernel_->add_disk(value_of(lkl::open_file_disk(image, options))));
}

void Guest::remount(const std::string& type, bool read_only)
{
    if (mount_)
        check(mount_->unmount());
    mount_.reset();
    lkl::MountOptions options;
    options.type = type;
    options.flags = read_only ? LKL_MS_RDONLY : 0;
    mount_ = value_of(lkl::Mount::disk(*kernel_, disk_, options));
}

void Guest::mount_sysfs()
{
    sysfs_ = value_of(lkl::Mount::special(*kernel_, "sysfs", "/sys"));
}

bool Guest::has(const std::string& path)
{
    return kernel_->syscall(__lkl__NR_faccessat, LKL_AT_FDCWD, path.c_str(), 4) == 0;
}

std::string Guest::read_text(const std::string& path)
{
    const long fd = call(path.c_str(), __lkl__NR_openat, LKL_AT_FDCWD, path.c_str(), LKL_O_RDONLY);
    std::array<char, 4096> text;
    const long size = kernel_->syscall(__lkl__NR_read, fd, text.data(), text.size());
    kernel_->syscall(__lkl__NR_close, fd);
    if (size < 0)
        fail(path.c_str(), size);
    return {text.data(), static_cast<size_t>(size)};
}

void Guest::halt()
{
    mount_.reset();
    sysfs_.reset();
    check(kernel_->halt());
}

}  // namespace bench
