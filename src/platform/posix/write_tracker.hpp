// SPDX-License-Identifier: GPL-2.0-only
// WriteTracker: which pages of the process have been written to since they were
// protected, without a signal or a copy of any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include <lkl/result.hpp>

namespace lkl::posix {

// The host's kernel write-protects pages and notes in their page table entry when the
// first write comes, without telling anybody (userfaultfd, UFFD_FEATURE_WP_ASYNC, Linux
// 6.7); PAGEMAP_SCAN lists the entries. Entries belong to a mapping, so memory that is
// mapped twice has to be tracked in both places. A write of the host's kernel, as of
// read(2) into such memory, is seen like any other; one into pages that it had pinned
// before they were protected is not.
//
// Not thread safe.
class WriteTracker {
public:
    using Written = std::function<void(uintptr_t start, uintptr_t end)>;

    // Errors: ENOSYS, when the host cannot do that (or does not let us).
    static Result<WriteTracker> create();

    WriteTracker(WriteTracker&& other) noexcept;
    WriteTracker& operator=(WriteTracker&&) = delete;
    ~WriteTracker();

    // Starts to track a range of whole mappings, or parts of them, of any kind. All pages
    // count as written until they are protected. The mapping takes its end with it.
    // Errors: ENOMEM, EINVAL.
    Result<void> track(uintptr_t start, uintptr_t end);
    // Protects pages of a range that is tracked, those that do not exist as well.
    // Errors: ENOMEM.
    Result<void> protect(uintptr_t start, uintptr_t end);

    // Calls `written` for each range of pages in [start, end) that has been written to
    // since it was protected, by address. In parts of the range that are not tracked,
    // all pages that are there count as written. `existing`: leaves out pages that do not
    // exist, which count as written as well where they were not protected; takes longer.
    // Errors: those of ioctl(2).
    Result<void> for_each_written(uintptr_t start, uintptr_t end, const Written& written,
                                  bool existing = false);

    // Protects what has been written to once more. Tracked parts of the range alone.
    Result<void> protect_again(uintptr_t start, uintptr_t end);

private:
    WriteTracker() = default;
    Result<void> scan(uintptr_t start, uintptr_t end, uint64_t flags, uint64_t any,
                      const Written* written);

    int faults_ = -1;  // userfaultfd
    int pages_ = -1;   // /proc/self/pagemap
};

}  // namespace lkl::posix
