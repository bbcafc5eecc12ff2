// SPDX-License-Identifier: GPL-2.0-only
#include <platform/posix/address_space.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <lkl/contract.h>
#include <platform/posix/clock.hpp>
#include <platform/posix/mappings.hpp>
#include <platform/posix/memory_snapshot.hpp>

namespace lkl::posix {

namespace {

#ifndef MADV_COLLAPSE  // of Linux 6.1
#define MADV_COLLAPSE 25
#endif

static_assert(AddressSpace::block_size == LKL_BLOCK_SIZE);

// Addresses above a kernel's that are left to the program. The host's kernel gives out the
// highest that are free, so that the stacks of threads that begin later come to lie here:
// a debugger that walks from a kernel's stack on to the caller's follows upwards alone.
constexpr uint64_t room_above = 64ULL << 30;

// From here on the first touch of a page is costly, in nanoseconds: 0.3 to 1 µs is usual.
constexpr uint64_t costly_page = 4000;

constexpr uint64_t round_up(uint64_t value, uint64_t to)
{
    return (value + to - 1) & ~(to - 1);
}

Error failed(const char* what)
{
    const int code = errno;
    return {code, std::string(what) + ": " + std::strerror(code)};
}

// As ftruncate(2), but without the signal of a limit for files (SIGXFSZ), which holds for
// files in memory as well: EFBIG.
int resize(int file, uint64_t size)
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        size > limit.rlim_cur) {
        errno = EFBIG;
        return -1;
    }
    return ::ftruncate(file, static_cast<off_t>(size));
}

void touch(uintptr_t address)
{
    static_cast<void>(*static_cast<volatile const std::byte*>(pointer(address)));
}

// Nanoseconds that the first touch of a page takes: the least of a few. The kernel needs
// these pages soon.
uint64_t time_of_page(uintptr_t memory)
{
    constexpr int pages = 4;
    uint64_t least = never;
    for (int i = 0; i < pages; ++i) {
        const uint64_t start = monotonic_now();
        touch(memory + i * AddressSpace::page_size);
        least = std::min(least, monotonic_now() - start);
    }
    return least;
}

void* reserve(uint64_t size)
{
    return ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

bool map_zeroes(uintptr_t address, uint64_t length, int flags)
{
    // Terabytes: not all at once where a program has its memory locked (mlockall(2)), and
    // nothing to the reader of a core file.
    if (::mmap(pointer(address), length, PROT_NONE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0) == MAP_FAILED)
        return false;
    ::munlock(pointer(address), length);
    ::madvise(pointer(address), length, MADV_DONTDUMP);
    // A byte here and there: no 2 MiB for each, where the host gives them unasked.
    ::madvise(pointer(address), length, MADV_NOHUGEPAGE);
    return ::mprotect(pointer(address), length, PROT_READ | PROT_WRITE) == 0;
}

// Where the shadow of all kernels is; under the mutex.
std::mutex shadow_mutex;
uintptr_t shadow_start = 0;

}  // namespace

Result<AddressSpace> AddressSpace::create(uint64_t image_size, uint64_t memory_size)
{
    // Kernel stacks are aligned to their size, relative to a base that therefore has to
    // be aligned at least as well, which it is for the sake of large pages.
    constexpr uint64_t alignment = block_size;
    AddressSpace space;
    const uint64_t image_end = image_size;
    image_size = round_up(image_size, alignment);
    const uint64_t linear = round_up(image_size + memory_size + page_size, alignment);
    const uint64_t least = std::max(least_window, round_up(4 * memory_size, alignment));
    space.window_ = std::max(largest_window, least);
    uint64_t reserved = 0;
    void* reservation = nullptr;
    for (;;) {
        reserved = linear + 2 * space.window_ + alignment;
        reservation = reserve(reserved + room_above);
        if (reservation != MAP_FAILED) {
            ::munmap(static_cast<std::byte*>(reservation) + reserved, room_above);
            break;
        }
        reservation = reserve(reserved);
        if (reservation != MAP_FAILED)
            break;
        if (space.window_ == least)
            return failed("reserving addresses for the kernel");
        space.window_ = std::max(space.window_ / 2, least);
    }
    // Trim to the alignment.
    const auto start = reinterpret_cast<uintptr_t>(reservation);
    const uintptr_t base = round_up(start, alignment);
    if (base != start)
        ::munmap(pointer(start), base - start);
    ::munmap(pointer(base + reserved - alignment), start + alignment - base);
    space.base_ = base;
    space.vmalloc_ = base + linear;
    space.reserved_ = reserved - alignment;
    space.image_size_ = image_size;
    space.memory_size_ = memory_size;

    space.file_ = ::memfd_create("lkl", MFD_CLOEXEC);
    if (space.file_ < 0)
        return failed("creating the kernel's memory");
    if (resize(space.file_, memory_size) != 0)
        return failed(errno == EFBIG
                          ? "the limit for files (ulimit -f) holds for the kernel's memory, too"
                          : "sizing the kernel's memory");
    if (::mmap(pointer(space.memory()), memory_size, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_FIXED | MAP_NORESERVE, space.file_, 0) == MAP_FAILED)
        return failed("mapping the kernel's memory");
    // Words are read past the end of a page, see load_unaligned_zeropad().
    if (::mprotect(pointer(base + image_end), image_size - image_end, PROT_READ) != 0 ||
        ::mprotect(pointer(space.memory_end()), page_size, PROT_READ) != 0)
        return failed("mapping the kernel's memory");
    space.pages_are_costly_ = time_of_page(space.memory()) > costly_page;
    // A child of fork() has no business in here, and would share the memory.
    ::madvise(pointer(space.base_), space.reserved_, MADV_DONTFORK);
    return space;
}

AddressSpace::AddressSpace(AddressSpace&& other) noexcept
{
    *this = std::move(other);
}

AddressSpace& AddressSpace::operator=(AddressSpace&& other) noexcept
{
    std::swap(base_, other.base_);
    std::swap(vmalloc_, other.vmalloc_);
    std::swap(window_, other.window_);
    std::swap(image_size_, other.image_size_);
    std::swap(memory_size_, other.memory_size_);
    std::swap(reserved_, other.reserved_);
    std::swap(file_, other.file_);
    std::swap(snapshot_, other.snapshot_);
    std::swap(shadow_, other.shadow_);
    std::swap(shadow_size_, other.shadow_size_);
    std::swap(pages_are_costly_, other.pages_are_costly_);
    return *this;
}

AddressSpace::~AddressSpace()
{
    if (base_)
        ::munmap(pointer(base_), reserved_);
    if (shadow_size_)
        map_zeroes(shadow_, shadow_size_, MAP_FIXED);
    if (file_ >= 0)
        ::close(file_);
}

bool AddressSpace::has(uint64_t physical, uint64_t length) const noexcept
{
    return physical >= image_size_ && length <= memory_size_ &&
           physical - image_size_ <= memory_size_ - length;
}

int AddressSpace::map(uintptr_t address, uint64_t physical, uint64_t length,
                      int protection) noexcept
{
    if (!has(physical, length))
        return -EINVAL;
    if (snapshot_)
        snapshot_->window_changes(address, address + length, protection & PROT_WRITE, physical);
    return map_now(address, physical, length, protection);
}

void AddressSpace::unmap(uintptr_t address, uint64_t length) noexcept
{
    if (snapshot_)
        snapshot_->window_changes(address, address + length, false, 0);
    unmap_now(address, length);
}

int AddressSpace::map_now(uintptr_t address, uint64_t physical, uint64_t length,
                          int protection) noexcept
{
    if (!has(physical, length))
        return -EINVAL;
    if (::mmap(pointer(address), length, protection, MAP_SHARED | MAP_FIXED, file_,
               static_cast<off_t>(physical - image_size_)) == MAP_FAILED)
        return -errno;
    return 0;
}

void AddressSpace::unmap_now(uintptr_t address, uint64_t length) noexcept
{
    // Replacing by a reservation merges with its neighbours; it can fail only by
    // running out of mappings, where taking the access away is as good.
    if (::mmap(pointer(address), length, PROT_NONE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
        ::mprotect(pointer(address), length, PROT_NONE);
}

int AddressSpace::shadow(uintptr_t start, uint64_t length, uintptr_t own,
                         uint64_t own_length) noexcept
{
    const std::lock_guard lock(shadow_mutex);
    if (shadow_start != start) {
        if (!map_zeroes(start, length, MAP_FIXED_NOREPLACE))
            return -errno;
        shadow_start = start;
    }
    // A kernel before us may have had the same addresses.
    if (const int error = clear_shadow(own, own_length))
        return error;
    shadow_ = own;
    shadow_size_ = own_length;
    return 0;
}

int AddressSpace::clear_shadow(uintptr_t address, uint64_t length) noexcept
{
    return map_zeroes(address, length, MAP_FIXED) ? 0 : -errno;
}

int AddressSpace::prepare(uint64_t physical, uint64_t length) noexcept
{
    if (snapshot_)
        return 0;
    const uintptr_t start = base_ + physical;
    // Only a block that has a page already can become one of its own.
    for (uintptr_t block = start; block < start + length; block += block_size)
        touch(block);
    return ::madvise(pointer(start), length, MADV_COLLAPSE) == 0 ? 0 : -errno;
}

void AddressSpace::discard(uint64_t physical, uint64_t length) noexcept
{
    if (snapshot_)
        return;
    ::fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                static_cast<off_t>(physical - image_size_), static_cast<off_t>(length));
}

void AddressSpace::release_memory() noexcept
{
    unmap_now(memory(), base_ + reserved_ - memory());
    ::close(file_);
    file_ = -1;
}

bool AddressSpace::read_pages(uintptr_t address, std::byte* to, size_t size) const noexcept
{
    return ::pread(file_, to, size, static_cast<off_t>(address - memory())) ==
           static_cast<ssize_t>(size);
}

bool AddressSpace::write_pages(uintptr_t address, const std::byte* from, size_t size) noexcept
{
    return ::pwrite(file_, from, size, static_cast<off_t>(address - memory())) ==
           static_cast<ssize_t>(size);
}

void AddressSpace::for_each_page_range(
    const std::function<void(uintptr_t, uintptr_t)>& function) const
{
    const auto size = static_cast<off_t>(memory_size_);
    for (off_t at = 0; at < size;) {
        const off_t start = ::lseek(file_, at, SEEK_DATA);
        if (start < 0)
            return;  // ENXIO: nothing but a hole is left
        at = std::min(::lseek(file_, start, SEEK_HOLE), size);
        function(memory() + static_cast<uint64_t>(start), memory() + static_cast<uint64_t>(at));
    }
}

}  // namespace lkl::posix
