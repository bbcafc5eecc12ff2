// SPDX-License-Identifier: GPL-2.0-only
// PageCopies: the pages that exist in a large range of private memory, kept elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <lkl/result.hpp>

namespace lkl::posix {

// For memory that reads as zeroes where it was never written, and of which so little was
// that neither a copy nor a comparison of all of it will do. Not thread safe.
class PageCopies {
public:
    PageCopies() = default;
    PageCopies(const PageCopies&) = delete;
    PageCopies& operator=(const PageCopies&) = delete;
    ~PageCopies();

    // Reserves addresses for copies of [start, end), once. Errors: ENOMEM.
    Result<void> reserve(uintptr_t start, uintptr_t end);
    // Copies the pages that exist in a part of it; parts by address. Errors: those of
    // reading /proc/self/pagemap.
    Result<void> copy_out(uintptr_t start, uintptr_t end);

    // What is to be in place of a page, one that did not exist included.
    const std::byte* copy_of(uintptr_t address) const noexcept
    {
        return copies_ + (address - start_);
    }
    // Writes the pages that were copied to a part of the range that is zero otherwise.
    // Returns how many.
    size_t put_back(uintptr_t start, uintptr_t end) const noexcept;

    struct Range {
        uintptr_t start, end;
    };
    // What was copied, by address.
    const std::vector<Range>& ranges() const noexcept { return ranges_; }

private:
    uintptr_t start_ = 0;
    size_t size_ = 0;
    std::byte* copies_ = nullptr;
    std::vector<Range> ranges_;
};

}  // namespace lkl::posix
