// SPDX-License-Identifier: GPL-2.0-only
// The addresses of one kernel: image, physical memory, and two windows in which
// the kernel maps pieces of that memory a second time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include <lkl/result.hpp>

namespace lkl::posix {

class MemorySnapshot;

// Owns a reservation of addresses and the memory file behind it. All sizes are
// in bytes and multiples of the page size.
//
// Layout: [image | memory | one readable page][vmalloc window][user window],
// physical address 0 at the image's start. Image and memory start at a multiple of
// block_size, in addresses and in the file.
//
// Threads: map(), unmap() and discard() may be called by any thread, for ranges
// that do not overlap.
class AddressSpace {
public:
    static constexpr uint64_t page_size = 4096;
    static constexpr uint64_t block_size = 2ull << 20;  // a large page of the host

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

    // Maps [physical, physical + length) at an address inside a window or the shadow, with
    // the protection of mmap(2), replacing what is there. 0 or a negative errno:
    // -EINVAL for memory that is not in the file, -ENOMEM at the host's limits.
    int map(uintptr_t address, uint64_t physical, uint64_t length, int protection) noexcept;

    // Makes a part of a window inaccessible.
    void unmap(uintptr_t address, uint64_t length) noexcept;

    // Makes [start, start + length) memory that reads as zeroes, shared by all kernels of
    // the process, and [own, own + own_length) in it anew now and at destruction. 0 or a
    // negative errno: -EEXIST when something else of the process is there.
    int shadow(uintptr_t start, uint64_t length, uintptr_t own, uint64_t own_length) noexcept;

    // A page that is touched for the first time takes long, as it does where a hypervisor
    // keeps shadow page tables.
    bool pages_are_costly() const { return pages_are_costly_; }

    // Turns blocks of physical memory into large pages of the host, whatever they hold.
    // 0 or a negative errno: -EINVAL on hosts that cannot (Linux before 6.1). Does nothing
    // while there is a snapshot, whose pages are tracked one by one.
    int prepare(uint64_t physical, uint64_t length) noexcept;

    // Gives physical pages back to the host; they read as zeroes afterwards. Does
    // nothing while there is a snapshot.
    void discard(uint64_t physical, uint64_t length) noexcept;

    // Gives everything but the image back: the kernel is dead. The addresses stay
    // reserved until destruction.
    void release_memory() noexcept;

    // For MemorySnapshot. Told of every change of the windows; null: nobody is.
    void set_snapshot(MemorySnapshot* snapshot) noexcept { snapshot_ = snapshot; }
    // Our part of the shadow; empty without one.
    uintptr_t own_shadow() const { return shadow_; }
    uintptr_t own_shadow_end() const { return shadow_ + shadow_size_; }
    // Makes a part of it zero again. 0 or a negative errno.
    int clear_shadow(uintptr_t address, uint64_t length) noexcept;
    // map() and unmap() without telling.
    int map_now(uintptr_t address, uint64_t physical, uint64_t length, int protection) noexcept;
    void unmap_now(uintptr_t address, uint64_t length) noexcept;
    // The physical address of a place in the memory file.
    uint64_t physical(uint64_t offset) const { return image_size_ + offset; }
    // Copies pages of memory() whatever the mapping at their address allows. The second is
    // for pages that exist. False: the host cannot.
    bool read_pages(uintptr_t address, std::byte* to, size_t size) const noexcept;
    bool write_pages(uintptr_t address, const std::byte* from, size_t size) noexcept;
    // Calls `function` with the addresses in memory() of each range of pages that exist.
    void for_each_page_range(const std::function<void(uintptr_t, uintptr_t)>& function) const;

private:
    // Whether the file holds a range of physical memory.
    bool has(uint64_t physical, uint64_t length) const noexcept;

    // Addresses cost nothing; each window takes more than memory can be cut into.
    // Where a limit (RLIMIT_AS) or a tool (valgrind) has fewer to give, smaller
    // windows do, as long as all memory finds room several times.
    static constexpr uint64_t largest_window = 64ull << 30;
    static constexpr uint64_t least_window = 1ull << 30;

    uintptr_t base_ = 0;
    uintptr_t vmalloc_ = 0;
    uint64_t window_ = 0;      // bytes of each
    uint64_t image_size_ = 0;  // rounded up to whole blocks
    uint64_t memory_size_ = 0;
    uint64_t reserved_ = 0;
    int file_ = -1;
    MemorySnapshot* snapshot_ = nullptr;
    uintptr_t shadow_ = 0;  // our part of it
    uint64_t shadow_size_ = 0;
    bool pages_are_costly_ = false;
};

}  // namespace lkl::posix
