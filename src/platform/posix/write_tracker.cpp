// SPDX-License-Identifier: GPL-2.0-only
#include <platform/posix/write_tracker.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lkl::posix {

namespace {

// Of Linux 6.7's <linux/userfaultfd.h> and <linux/fs.h>, which the headers that we are
// compiled with may be older than.
constexpr uint64_t feature_wp_unpopulated = 1u << 13;
constexpr uint64_t feature_wp_async = 1u << 15;
constexpr uint64_t user_mode_only = 1;

struct PageRange {
    uint64_t start, end, categories;
};

struct ScanArguments {
    uint64_t size;
    uint64_t flags;
    uint64_t start, end;
    uint64_t walk_end;  // how far it came
    uint64_t ranges;
    uint64_t ranges_count;
    uint64_t max_pages;
    uint64_t category_inverted, category_mask, category_any, return_mask;
};
constexpr unsigned long scan_pages = _IOWR('f', 16, ScanArguments);
constexpr uint64_t scan_protects = 1;          // PM_SCAN_WP_MATCHING
constexpr uint64_t category_written = 1 << 1;  // PAGE_IS_WRITTEN
constexpr uint64_t category_exists = 3 << 3;   // PAGE_IS_PRESENT, PAGE_IS_SWAPPED

Error failed(const char* what, int code = errno)
{
    return {code, std::string("tracking writes to memory: ") + what + ": " + std::strerror(code)};
}

}  // namespace

Result<WriteTracker> WriteTracker::create()
{
    WriteTracker tracker;
    // User mode only is all that an ordinary user is allowed, and restricts nothing here:
    // no fault is ever handed to anybody.
    tracker.faults_ = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | user_mode_only));
    if (tracker.faults_ < 0)
        return failed("userfaultfd(2)", ENOSYS);
    uffdio_api api{};
    api.api = UFFD_API;
    api.features = feature_wp_async | feature_wp_unpopulated | UFFD_FEATURE_PAGEFAULT_FLAG_WP |
                   UFFD_FEATURE_WP_HUGETLBFS_SHMEM;
    if (::ioctl(tracker.faults_, UFFDIO_API, &api) != 0)
        return failed("the host's kernel is older than Linux 6.7", ENOSYS);
    tracker.pages_ = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (tracker.pages_ < 0)
        return failed("/proc/self/pagemap", ENOSYS);
    return tracker;
}

WriteTracker::WriteTracker(WriteTracker&& other) noexcept
    : faults_(std::exchange(other.faults_, -1)), pages_(std::exchange(other.pages_, -1))
{
}

WriteTracker::~WriteTracker()
{
    if (faults_ >= 0)
        ::close(faults_);
    if (pages_ >= 0)
        ::close(pages_);
}

Result<void> WriteTracker::track(uintptr_t start, uintptr_t end)
{
    uffdio_register tracked{};
    tracked.range = {start, end - start};
    tracked.mode = UFFDIO_REGISTER_MODE_WP;
    if (::ioctl(faults_, UFFDIO_REGISTER, &tracked) != 0)
        return failed("UFFDIO_REGISTER");
    return {};
}

Result<void> WriteTracker::protect(uintptr_t start, uintptr_t end)
{
    uffdio_writeprotect protection{};
    protection.range = {start, end - start};
    protection.mode = UFFDIO_WRITEPROTECT_MODE_WP;
    if (::ioctl(faults_, UFFDIO_WRITEPROTECT, &protection) != 0)
        return failed("UFFDIO_WRITEPROTECT");
    return {};
}

// any: categories of which a page must have one, unless there are none.
Result<void> WriteTracker::scan(uintptr_t start, uintptr_t end, uint64_t flags, uint64_t any,
                                const Written* written)
{
    std::array<PageRange, 512> ranges;
    ScanArguments arguments{};
    arguments.size = sizeof arguments;
    arguments.flags = flags;
    arguments.category_mask = category_written;
    arguments.category_any = any;
    arguments.return_mask = category_written;
    arguments.ranges = reinterpret_cast<uint64_t>(ranges.data());
    arguments.ranges_count = ranges.size();
    for (uintptr_t at = start; at < end; at = arguments.walk_end) {
        arguments.start = at;
        arguments.end = end;
        const int count = ::ioctl(pages_, scan_pages, &arguments);
        if (count < 0)
            return failed("PAGEMAP_SCAN");
        for (int i = 0; written && i < count; ++i)
            (*written)(ranges[static_cast<size_t>(i)].start, ranges[static_cast<size_t>(i)].end);
    }
    return {};
}

Result<void> WriteTracker::for_each_written(uintptr_t start, uintptr_t end, const Written& written,
                                            bool existing)
{
    return scan(start, end, 0, existing ? category_exists : 0, &written);
}

Result<void> WriteTracker::protect_again(uintptr_t start, uintptr_t end)
{
    return scan(start, end, scan_protects, 0, nullptr);
}

}  // namespace lkl::posix
