// SPDX-License-Identifier: GPL-2.0-only
// MemorySnapshot: the contents of one kernel's addresses at a moment, and the way back.
//
// What is put back: the image's private data, physical memory, the mappings in the
// windows, and the kernel's part of KASAN's shadow, where there is one: private memory, in
// which the kernel maps pieces of its own as in a window. Nothing that changed is missed:
//
//  1. A store goes through a writable mapping. Those that there were at the snapshot are
//     regions; each is tracked (WriteTracker), whichever address the page has elsewhere,
//     and put back through the address at which it was written.
//  2. A region in a window, the shadow or memory() ends only by AddressSpace::map() and
//     unmap(), which tell window_changes() before they do it. All of its pages count as
//     written then.
//  3. A mapping that came after the snapshot came by AddressSpace::map(), which tells
//     too. All of its pages count as written from the start, so that it does not matter
//     when it goes.
//  4. Host code writes to the memory by its address, like the kernel, and pins no page
//     for longer than a request, of which there are none when a snapshot is taken.
//  5. What changes pages without a store, AddressSpace::discard(), does nothing while
//     there is a snapshot: the contract leaves it the choice.
//  6. Pages of the shadow that did not exist at the snapshot are not protected, so that
//     they count as written once they exist.
//
// Where the host cannot track writes (before Linux 6.7, or where userfaultfd is
// forbidden), everything is compared, and what differs is copied: some milliseconds for
// each 64 MiB that are in use, in place of some microseconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <lkl/result.hpp>
#include <platform/posix/page_copies.hpp>
#include <platform/posix/write_tracker.hpp>

namespace lkl::posix {

class AddressSpace;

// Nobody runs the kernel, and no device writes to its memory, while one is made or
// restored. window_changes() is called by whoever runs it. At most one for each
// AddressSpace, which outlives it.
class MemorySnapshot {
public:
    // track: if the host can; false is for tests of the other way. Errors: ENOMEM; those
    // of reading /proc/self/maps.
    static Result<std::unique_ptr<MemorySnapshot>> take(AddressSpace& space, bool track = true);
    ~MemorySnapshot();
    MemorySnapshot(const MemorySnapshot&) = delete;
    MemorySnapshot& operator=(const MemorySnapshot&) = delete;

    // Returns the number of pages that were put back. Errors (ENOMEM, the host's limit
    // of mappings) leave a memory that is neither the old nor the new one.
    Result<size_t> restore();

    // What is mapped at [start, end) of a window stays as it is at each restore from here on,
    // whichever address it is written at. Errors: EINVAL (nothing was mapped there, or not all
    // of it, or it is no part of a window), ENOMEM.
    Result<void> leave_out(uintptr_t start, uintptr_t end);

    // Whether writes are tracked, or everything has to be compared.
    bool tracks_writes() const noexcept { return tracker_.has_value(); }

    // AddressSpace: what [start, end) of a window is mapped to is about to change, to
    // nothing or, `writable`, to physical memory from `physical` on.
    void window_changes(uintptr_t start, uintptr_t end, bool writable, uint64_t physical) noexcept;

private:
    // A part of the addresses, and where its contents are in physical memory.
    struct Region {
        uintptr_t start, end;
        uint64_t physical;
        int protection;
        bool shadow;  // private memory of it: no physical memory

        bool writable() const noexcept;
    };
    struct Range {
        uint64_t start, end;
    };

    explicit MemorySnapshot(AddressSpace& space) : space_(space) {}
    bool in_image(const Region& region) const noexcept;
    Result<void> find_regions();
    Result<void> add_regions(uintptr_t start, uintptr_t end);
    void hide(uintptr_t start, uintptr_t end);
    // Calls function(start, end, hidden) for the parts of a range of addresses.
    template <typename Function>
    void for_each_part(uintptr_t start, uintptr_t end, Function function) noexcept;
    Result<void> copy_out();
    Result<void> copy_shadow_out();
    Result<void> track_regions();
    Result<void> track(const Region& region, uintptr_t from, uintptr_t to);
    Result<void> put_windows_back();
    Result<void> put_window_back(const Range& window);
    Result<void> put_part_back(const Region& region, uintptr_t from, uintptr_t to);
    Result<void> put_written_back();
    void put_pages_back(uintptr_t start, uintptr_t end, const std::byte* from) noexcept;
    void put_all_back(uintptr_t start, uintptr_t end, const std::byte* from) noexcept;
    Result<void> compare_everything();
    Result<void> protect_if_too_many();
    void note(std::vector<Range>& list, Range range) noexcept;
    const std::byte* copy_of(const Region& region, uintptr_t address) const noexcept;

    AddressSpace& space_;
    std::optional<WriteTracker> tracker_;
    std::byte* copy_ = nullptr;  // by physical address
    size_t copy_size_ = 0;
    PageCopies shadow_copies_;
    std::vector<Region> regions_;  // by address; writable ones, and all in the windows
    // By address: what of memory() the kernel had taken away from itself, as KFENCE does. Its
    // pages are reached by the file.
    std::vector<Range> hidden_;
    std::vector<Range> left_out_;  // physical memory, by address
    bool unreachable_ = false;     // the host could not do that

    // Since the snapshot, or the last restore.
    std::vector<Range> windows_;  // addresses whose mappings have changed
    std::vector<Range> written_;  // physical memory that counts as written
    bool lost_count_ = false;     // the lists are incomplete: everything may have changed

    // Pages stay writable over restores and are put back each time, because a fault
    // costs more than a copy, unless they become too many: then all are protected anew.
    size_t pages_ = 0;
    size_t most_pages_ = 0;
};

}  // namespace lkl::posix
