// SPDX-License-Identifier: GPL-2.0-only
// The addresses of one kernel: image, physical memory, and two windows in which
// the kernel maps pieces of that memory a second time.
#pragma once

#include <cstddef>
#include <cstdint>

#include <lkl/result.hpp>

namespace lkl::posix {

// Owns a reservation of addresses and the memory file behind it. All sizes are
// in bytes and multiples of the page size.
//
// Layout: [image | memory | one readable page][vmalloc window][user window],
// physical address 0 at the image's start.
//
// Threads: map(), unmap() and discard() may be called by any thread, for ranges
// that do not overlap.
class AddressSpace {
public:
    static constexpr uint64_t page_size = 4096;

    // Errors: ENOMEM, EMFILE.
    static Result<AddressSpace> create(uint64_t image_size, uint64_t memory_size);

    AddressSpace() = default;
    AddressSpace(AddressSpace&& other) noexcept;
    AddressSpace& operator=(AddressSpace&& other) noexcept;
    ~AddressSpace();

    uintptr_t image() const { return base_; }
    uintptr_t memory() const { return base_ + image_size_; }
    uintptr_t memory_end() const { return memory() + memory_size_; }
    uintptr_t vmalloc_start() const { return vmalloc_; }
    uintptr_t vmalloc_end() const { return vmalloc_ + window_; }
    uintptr_t user_start() const { return vmalloc_end(); }
    uintptr_t user_end() const { return user_start() + window_; }

    // Maps [physical, physical + length) at an address inside a window, with the
    // protection of mmap(2), replacing what is there. 0 or a negative errno:
    // -EINVAL for memory that is not in the file, -ENOMEM at the host's limits.
    int map(uintptr_t address, uint64_t physical, uint64_t length, int protection) noexcept;

    // Makes a part of a window inaccessible.
    void unmap(uintptr_t address, uint64_t length) noexcept;

    // Gives physical pages back to the host; they read as zeroes afterwards.
    void discard(uint64_t physical, uint64_t length) noexcept;

    // Gives everything but the image back: the kernel is dead. The addresses stay
    // reserved until destruction.
    void release_memory() noexcept;

private:
    // Addresses cost nothing; each window takes more than memory can be cut into.
    // Where a limit (RLIMIT_AS) or a tool (valgrind) has fewer to give, smaller
    // windows do, as long as all memory finds room several times.
    static constexpr uint64_t largest_window = 64ull << 30;
    static constexpr uint64_t least_window = 1ull << 30;

    uintptr_t base_ = 0;
    uintptr_t vmalloc_ = 0;
    uint64_t window_ = 0;  // bytes of each
    uint64_t image_size_ = 0;
    uint64_t memory_size_ = 0;
    uint64_t reserved_ = 0;
    int file_ = -1;
};

}  // namespace lkl::posix
