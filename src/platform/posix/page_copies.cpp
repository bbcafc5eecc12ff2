// SPDX-License-Identifier: GPL-2.0-only
#include <platform/posix/page_copies.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include <sys/mman.h>

#include <platform/posix/address_space.hpp>
#include <platform/posix/mappings.hpp>

namespace lkl::posix {

namespace {

constexpr uint64_t page_size = AddressSpace::page_size;

}  // namespace

PageCopies::~PageCopies()
{
    if (copies_)
        ::munmap(copies_, size_);
}

Result<void> PageCopies::reserve(uintptr_t start, uintptr_t end)
{
    void* const copies = ::mmap(nullptr, end - start, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (copies == MAP_FAILED)
        return Error{errno, std::string("snapshot: no room for copies: ") + std::strerror(errno)};
    // Reading a page that was not copied must not make one.
    ::madvise(copies, end - start, MADV_NOHUGEPAGE);
    start_ = start;
    size_ = end - start;
    copies_ = static_cast<std::byte*>(copies);
    return {};
}

Result<void> PageCopies::copy_out(uintptr_t start, uintptr_t end)
{
    return for_each_existing_page(start, end, [this](uintptr_t from, uintptr_t to) {
        std::memcpy(copies_ + (from - start_), pointer(from), to - from);
        if (!ranges_.empty() && ranges_.back().end == from)
            ranges_.back().end = to;
        else
            ranges_.push_back({from, to});
    });
}

size_t PageCopies::put_back(uintptr_t start, uintptr_t end) const noexcept
{
    size_t pages = 0;
    auto range =
        std::upper_bound(ranges_.begin(), ranges_.end(), start,
                         [](uintptr_t address, const Range& one) { return address < one.end; });
    for (; range != ranges_.end() && range->start < end; ++range) {
        const uintptr_t from = std::max(start, range->start);
        const uintptr_t to = std::min(end, range->end);
        std::memcpy(pointer(from), copy_of(from), to - from);
        pages += (to - from) / page_size;
    }
    return pages;
}

}  // namespace lkl::posix
