// SPDX-License-Identifier: GPL-2.0-only
#include <platform/posix/address_space.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace lkl::posix {

namespace {

// Kernel stacks are aligned to their size, relative to a base that therefore has
// to be aligned at least as well; 2 MiB also lets the host use large pages.
constexpr uint64_t alignment = 2ull << 20;

constexpr uint64_t round_up(uint64_t value, uint64_t to)
{
    return (value + to - 1) & ~(to - 1);
}

Error failed(const char* what)
{
    const int code = errno;
    return {code, std::string(what) + ": " + std::strerror(code)};
}

void* pointer(uintptr_t address)
{
    // NOLINTNEXTLINE(performance-no-int-to-ptr): part of a mapping, found by arithmetic
    return reinterpret_cast<void*>(address);
}

}  // namespace

Result<AddressSpace> AddressSpace::create(uint64_t image_size, uint64_t memory_size)
{
    AddressSpace space;
    const uint64_t linear = round_up(image_size + memory_size + page_size, alignment);
    const uint64_t least = std::max(least_window, round_up(4 * memory_size, alignment));
    space.window_ = std::max(largest_window, least);
    uint64_t reserved = 0;
    void* reservation = nullptr;
    for (;;) {
        reserved = linear + 2 * space.window_ + alignment;
        reservation = ::mmap(nullptr, reserved, PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
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
    if (::ftruncate(space.file_, static_cast<off_t>(memory_size)) != 0)
        return failed("sizing the kernel's memory");
    if (::mmap(pointer(space.memory()), memory_size, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_FIXED | MAP_NORESERVE, space.file_, 0) == MAP_FAILED)
        return failed("mapping the kernel's memory");
    // Words are read past the end of a page, see load_unaligned_zeropad().
    if (::mprotect(pointer(space.memory_end()), page_size, PROT_READ) != 0)
        return failed("mapping the kernel's memory");
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
    return *this;
}

AddressSpace::~AddressSpace()
{
    if (base_)
        ::munmap(pointer(base_), reserved_);
    if (file_ >= 0)
        ::close(file_);
}

int AddressSpace::map(uintptr_t address, uint64_t physical, uint64_t length,
                      int protection) noexcept
{
    if (physical < image_size_ || length > memory_size_ ||
        physical - image_size_ > memory_size_ - length)
        return -EINVAL;
    if (::mmap(pointer(address), length, protection, MAP_SHARED | MAP_FIXED, file_,
               static_cast<off_t>(physical - image_size_)) == MAP_FAILED)
        return -errno;
    return 0;
}

void AddressSpace::unmap(uintptr_t address, uint64_t length) noexcept
{
    // Replacing by a reservation merges with its neighbours; it can fail only by
    // running out of mappings, where taking the access away is as good.
    if (::mmap(pointer(address), length, PROT_NONE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
        ::mprotect(pointer(address), length, PROT_NONE);
}

void AddressSpace::discard(uint64_t physical, uint64_t length) noexcept
{
    ::fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                static_cast<off_t>(physical - image_size_), static_cast<off_t>(length));
}

void AddressSpace::release_memory() noexcept
{
    unmap(memory(), base_ + reserved_ - memory());
    ::close(file_);
    file_ = -1;
}

}  // namespace lkl::posix
