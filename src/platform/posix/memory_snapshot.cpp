// SPDX-License-Identifier: GPL-2.0-only
#include <platform/posix/memory_snapshot.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include <sys/mman.h>

#include <platform/posix/address_space.hpp>
#include <platform/posix/mappings.hpp>

namespace lkl::posix {

namespace {

constexpr uint64_t page_size = AddressSpace::page_size;

// Entries of a list of changes. A kernel that runs for hours between restores is rather
// put back as a whole.
constexpr size_t most_changes = 1 << 16;

// Pages that are put back each time, at least: 8 MiB, which is well below 1 ms.
constexpr size_t fewest_pages = 2048;

Error failed(const char* what, int code)
{
    return {code, std::string("snapshot: ") + what + ": " + std::strerror(code)};
}

}  // namespace

Result<std::unique_ptr<MemorySnapshot>> MemorySnapshot::take(AddressSpace& space, bool track)
{
    std::unique_ptr<MemorySnapshot> snapshot(new MemorySnapshot(space));
    if (auto found = snapshot->find_regions(); !found)
        return std::move(found).error();
    if (auto copied = snapshot->copy_out(); !copied)
        return std::move(copied).error();
    if (track) {
        if (auto tracker = WriteTracker::create())
            snapshot->tracker_.emplace(std::move(*tracker));
        if (auto tracked = snapshot->track_regions(); !tracked)
            return std::move(tracked).error();
    }
    space.set_snapshot(snapshot.get());
    return snapshot;
}

MemorySnapshot::~MemorySnapshot()
{
    space_.set_snapshot(nullptr);
    if (copy_)
        ::munmap(copy_, copy_size_);
}

bool MemorySnapshot::Region::writable() const noexcept
{
    return protection & PROT_WRITE;
}

bool MemorySnapshot::in_image(const Region& region) const noexcept
{
    return region.start >= space_.image() && region.end <= space_.memory();
}

Result<void> MemorySnapshot::find_regions()
{
    if (auto added = add_regions(space_.image(), space_.user_end()); !added)
        return added;
    if (auto added = add_regions(space_.own_shadow(), space_.own_shadow_end()); !added)
        return added;
    std::sort(regions_.begin(), regions_.end(),
              [](const Region& a, const Region& b) { return a.start < b.start; });
    return {};
}

// Image and memory lie at their physical addresses from space_.image() on; what is
// mapped elsewhere is a piece of the memory file, or the shadow itself.
Result<void> MemorySnapshot::add_regions(uintptr_t start, uintptr_t end)
{
    auto mappings = list_mappings(start, end);
    if (!mappings)
        return std::move(mappings).error();
    for (const Mapping& mapping : *mappings) {
        const bool linear =
            mapping.start >= space_.image() && mapping.start < space_.vmalloc_start();
        const bool shadow = start == space_.own_shadow() && !mapping.shared;
        const bool writable = mapping.protection & PROT_WRITE;
        if (linear && !(mapping.protection & PROT_READ))
            hide(mapping.start, mapping.end);
        if (linear || shadow ? !writable : !mapping.shared)
            continue;
        const uint64_t physical =
            linear ? mapping.start - space_.image() : space_.physical(mapping.offset);
        regions_.push_back({mapping.start, mapping.end, physical, mapping.protection, shadow});
    }
    return {};
}

void MemorySnapshot::hide(uintptr_t start, uintptr_t end)
{
    start = std::max(start, space_.memory());
    end = std::min(end, space_.memory_end());
    if (start < end)
        hidden_.push_back({start, end});
}

template <typename Function>
void MemorySnapshot::for_each_part(uintptr_t start, uintptr_t end, Function function) noexcept
{
    auto hidden =
        std::upper_bound(hidden_.begin(), hidden_.end(), start,
                         [](uintptr_t address, const Range& one) { return address < one.end; });
    while (start < end) {
        const bool any = hidden != hidden_.end() && hidden->start < end;
        const uintptr_t seen_end = any ? std::max<uintptr_t>(hidden->start, start) : end;
        if (start < seen_end)
            function(start, seen_end, false);
        if (!any)
            return;
        const uintptr_t hidden_end = std::min<uintptr_t>(hidden->end, end);
        function(seen_end, hidden_end, true);
        start = hidden_end;
        ++hidden;
    }
}

Result<void> MemorySnapshot::copy_out()
{
    copy_size_ = space_.memory_end() - space_.image();
    void* const copy = ::mmap(nullptr, copy_size_, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (copy == MAP_FAILED)
        return failed("no room for a copy of the memory", ENOMEM);
    copy_ = static_cast<std::byte*>(copy);
    const auto copy_range = [this](uintptr_t start, uintptr_t end) {
        std::memcpy(copy_ + (start - space_.image()), pointer(start), end - start);
    };
    for (const Region& region : regions_) {
        if (in_image(region))
            copy_range(region.start, region.end);
    }
    // Pages that do not exist are zero on both sides.
    space_.for_each_page_range([&](uintptr_t start, uintptr_t end) {
        for_each_part(start, end, [&](uintptr_t from, uintptr_t to, bool hidden) {
            if (!hidden)
                copy_range(from, to);
            else if (!space_.read_pages(from, copy_ + (from - space_.image()), to - from))
                unreachable_ = true;
        });
    });
    if (unreachable_)
        return failed("reading the kernel's memory", EIO);
    // Their zeroes are there when they are needed; without it they come one by one.
    ::madvise(copy_, copy_size_, MADV_POPULATE_READ);
    return copy_shadow_out();
}

Result<void> MemorySnapshot::copy_shadow_out()
{
    if (space_.own_shadow() == space_.own_shadow_end())
        return {};
    auto copied = shadow_copies_.reserve(space_.own_shadow(), space_.own_shadow_end());
    for (const Region& region : regions_) {
        if (copied && region.shadow)
            copied = shadow_copies_.copy_out(region.start, region.end);
    }
    return copied;
}

Result<void> MemorySnapshot::track_regions()
{
    for (const Region& region : regions_) {
        if (!tracker_ || !region.writable())
            continue;
        if (auto tracked = track(region, region.start, region.end); !tracked)
            return tracked;
    }
    for (const PageCopies::Range& range : shadow_copies_.ranges()) {
        if (!tracker_)
            continue;
        if (auto protects = tracker_->protect(range.start, range.end); !protects)
            return protects;
    }
    return {};
}

// What is written from here on to [from, to) of a region is seen; in the shadow, whose
// pages are few and far apart, it is protected when that is known to be worth it.
Result<void> MemorySnapshot::track(const Region& region, uintptr_t from, uintptr_t to)
{
    auto tracked = tracker_->track(from, to);
    if (tracked && !region.shadow)
        tracked = tracker_->protect(from, to);
    return tracked;
}

void MemorySnapshot::note(std::vector<Range>& list, Range range) noexcept
{
    if (!list.empty() && list.back().end == range.start) {
        list.back().end = range.end;
        return;
    }
    try {
        if (list.size() < most_changes) {
            list.push_back(range);
            return;
        }
    } catch (const std::bad_alloc&) {
        // As if the list were full.
    }
    lost_count_ = true;
}

void MemorySnapshot::window_changes(uintptr_t start, uintptr_t end, bool writable,
                                    uint64_t physical) noexcept
{
    note(windows_, {start, end});
    if (writable)
        note(written_, {physical, physical + (end - start)});
    auto region =
        std::upper_bound(regions_.begin(), regions_.end(), start,
                         [](uintptr_t address, const Region& one) { return address < one.end; });
    for (; region != regions_.end() && region->start < end; ++region) {
        if (!region->writable() || region->shadow)
            continue;
        const uintptr_t from = std::max(start, region->start);
        const uintptr_t to = std::min(end, region->end);
        const uint64_t at = region->physical + (from - region->start);
        note(written_, {at, at + (to - from)});
    }
}

const std::byte* MemorySnapshot::copy_of(const Region& region, uintptr_t address) const noexcept
{
    if (region.shadow)
        return shadow_copies_.copy_of(address);
    return copy_ + region.physical + (address - region.start);
}

Result<void> MemorySnapshot::leave_out(uintptr_t start, uintptr_t end)
{
    std::vector<Range> ranges = left_out_;
    uintptr_t at = std::max(start, space_.vmalloc_start());
    for (const Region& region : regions_) {
        if (region.start > at || region.end <= at || at >= end || region.shadow)
            continue;
        const uintptr_t to = std::min(end, region.end);
        ranges.push_back(
            {region.physical + (at - region.start), region.physical + (to - region.start)});
        at = to;
    }
    if (at != end || at == start || start % page_size != 0 || end % page_size != 0)
        return failed("what is to be left out", EINVAL);
    std::sort(ranges.begin(), ranges.end(),
              [](const Range& a, const Range& b) { return a.start < b.start; });
    left_out_ = std::move(ranges);
    return {};
}

// Without what is left out; the shadow's copies are others.
void MemorySnapshot::put_pages_back(uintptr_t start, uintptr_t end, const std::byte* from) noexcept
{
    if (left_out_.empty() || from < copy_ || from >= copy_ + copy_size_)
        return put_all_back(start, end, from);
    const auto physical = static_cast<uint64_t>(from - copy_);
    const uint64_t physical_end = physical + (end - start);
    uint64_t at = physical;
    auto left = std::upper_bound(left_out_.begin(), left_out_.end(), physical,
                                 [](uint64_t one, const Range& range) { return one < range.end; });
    for (; left != left_out_.end() && left->start < physical_end; ++left) {
        if (left->start > at)
            put_all_back(start + (at - physical), start + (left->start - physical), copy_ + at);
        at = std::max(at, left->end);
    }
    if (at < physical_end)
        put_all_back(start + (at - physical), end, copy_ + at);
}

void MemorySnapshot::put_all_back(uintptr_t start, uintptr_t end, const std::byte* from) noexcept
{
    for_each_part(start, end, [&](uintptr_t part, uintptr_t part_end, bool hidden) {
        const std::byte* const source = from + (part - start);
        if (!hidden)
            std::memcpy(pointer(part), source, part_end - part);
        else if (!space_.write_pages(part, source, part_end - part))
            unreachable_ = true;
    });
    pages_ += (end - start) / page_size;
}

Result<size_t> MemorySnapshot::restore()
{
    pages_ = 0;
    if (auto put = put_windows_back(); !put)
        return std::move(put).error();
    if (auto put = tracker_ && !lost_count_ ? put_written_back() : compare_everything(); !put)
        return std::move(put).error();
    windows_.clear();
    written_.clear();
    lost_count_ = false;
    const size_t pages = pages_;
    if (auto again = protect_if_too_many(); !again)
        return std::move(again).error();
    if (unreachable_)
        return failed("writing the kernel's memory", EIO);
    return pages;
}

// First, so that every region is where it was, and can be written through.
Result<void> MemorySnapshot::put_windows_back()
{
    if (lost_count_)
        windows_ = {{space_.memory(), space_.memory_end()},
                    {space_.vmalloc_start(), space_.user_end()},
                    {space_.own_shadow(), space_.own_shadow_end()}};
    std::sort(windows_.begin(), windows_.end(),
              [](const Range& a, const Range& b) { return a.start < b.start; });
    for (size_t i = 0; i < windows_.size();) {
        Range window = windows_[i];
        for (++i; i < windows_.size() && windows_[i].start <= window.end; ++i)
            window.end = std::max(window.end, windows_[i].end);
        if (auto put = put_window_back(window); !put)
            return put;
    }
    return {};
}

Result<void> MemorySnapshot::put_window_back(const Range& window)
{
    if (window.start == window.end)
        return {};
    space_.unmap_now(window.start, window.end - window.start);
    auto region =
        std::upper_bound(regions_.begin(), regions_.end(), window.start,
                         [](uintptr_t address, const Region& one) { return address < one.end; });
    for (; region != regions_.end() && region->start < window.end; ++region) {
        const uintptr_t from = std::max<uintptr_t>(window.start, region->start);
        const uintptr_t to = std::min<uintptr_t>(window.end, region->end);
        if (auto put = put_part_back(*region, from, to); !put)
            return put;
    }
    return {};
}

// A piece of a region comes back untracked where the region was, and so is tracked again.
Result<void> MemorySnapshot::put_part_back(const Region& region, uintptr_t from, uintptr_t to)
{
    const uint64_t physical = region.physical + (from - region.start);
    const int code = region.shadow ? space_.clear_shadow(from, to - from)
                                   : space_.map_now(from, physical, to - from, region.protection);
    if (code)
        return failed("putting a mapping back", -code);
    if (region.shadow)
        pages_ += shadow_copies_.put_back(from, to);
    if (!tracker_ || !region.writable())
        return {};
    return track(region, from, to);
}

Result<void> MemorySnapshot::put_written_back()
{
    // Untracked pages in between are skipped: mappings to read, and code.
    auto region = regions_.begin();
    const auto put = [this, &region](uintptr_t start, uintptr_t end) {
        while (region != regions_.end() && region->end <= start)
            ++region;
        // Neighbours in one range may be of several regions.
        for (; region != regions_.end() && region->start < end; ++region) {
            const uintptr_t from = std::max(start, region->start);
            const uintptr_t to = std::min(end, region->end);
            if (region->writable())
                put_pages_back(from, to, copy_of(*region, from));
            if (region->end > end)
                break;
        }
    };
    if (auto seen = tracker_->for_each_written(space_.image(), space_.user_end(), put); !seen)
        return seen;
    region = regions_.begin();
    const uintptr_t shadow = space_.own_shadow();
    if (auto seen = tracker_->for_each_written(shadow, space_.own_shadow_end(), put, true); !seen)
        return seen;
    for (const Range& range : written_)
        put_pages_back(space_.image() + range.start, space_.image() + range.end,
                       copy_ + range.start);
    return {};
}

// Physical memory through its own addresses alone, where every page of it is. The shadow
// is made anew: most of it is as it was, and most of that is nothing.
Result<void> MemorySnapshot::compare_everything()
{
    const auto compare = [this](uintptr_t start, uintptr_t end) {
        for (uintptr_t at = start; at < end; at += page_size) {
            const std::byte* const copy = copy_ + (at - space_.image());
            if (std::memcmp(pointer(at), copy, page_size) != 0)
                put_pages_back(at, at + page_size, copy);
        }
    };
    for (const Region& region : regions_) {
        if (in_image(region))
            compare(region.start, region.end);
        if (!region.shadow)
            continue;
        if (auto put = put_part_back(region, region.start, region.end); !put)
            return put;
    }
    space_.for_each_page_range([&](uintptr_t start, uintptr_t end) {
        for_each_part(start, end, [&](uintptr_t from, uintptr_t to, bool hidden) {
            if (hidden)
                put_pages_back(from, to, copy_ + (from - space_.image()));
            else
                compare(from, to);
        });
    });
    return {};
}

Result<void> MemorySnapshot::protect_if_too_many()
{
    if (!tracker_)
        return {};
    if (most_pages_ == 0)
        most_pages_ = std::max(fewest_pages, 2 * pages_);
    if (pages_ <= most_pages_)
        return {};
    most_pages_ = 0;
    for (const Region& region : regions_) {
        if (!region.writable())
            continue;
        if (auto again = tracker_->protect_again(region.start, region.end); !again)
            return again;
    }
    return {};
}

}  // namespace lkl::posix
