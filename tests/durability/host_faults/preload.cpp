// SPDX-License-Identifier: GPL-2.0-only
// Laid under a tool by LD_PRELOAD: the n-th request to the host for some file fails, does
// less than asked for, or takes its time.
//
//   LKL_FAULT_KIND    EIO or ENOSPC: it fails; short: it does a part; slow: it takes
//                     300 ms; wait: it begins when somebody has added to the report;
//                     wait-open: so does the n-th openat(2) for reading, the one kind that
//                     counts then
//   LKL_FAULT_AT      n, from 1
//   LKL_FAULT_FILE    requests for this file count, and what io_uring is used for; empty:
//                     for any regular file that is open for writing; "*": for these and what
//                     io_uring is used for; a directory: for any regular file of its file
//                     system that is open for reading alone
//   LKL_FAULT_PROGRAM the name of the program that has the faults, and no other that it
//                     starts
//   LKL_FAULT_REPORT  a file, which gets the line "fault" when it has happened, and at the
//                     end of the program the number of requests
//
// Requests are reads, writes, fdatasync(2), fsync(2) and fallocate(2), and the entries of
// io_uring. The environment is read when the program starts, before it shuts itself in.
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>

#include <dlfcn.h>
#include <fcntl.h>
#include <liburing.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

namespace {

enum class Kind { none, error, part, late, wait, wait_open };

struct Plan {
    Plan()
    {
        const char* const kind_text = std::getenv("LKL_FAULT_KIND");
        const char* const at_text = std::getenv("LKL_FAULT_AT");
        const char* const report_path = std::getenv("LKL_FAULT_REPORT");
        const char* const path = std::getenv("LKL_FAULT_FILE");
        const char* const program = std::getenv("LKL_FAULT_PROGRAM");
        if (!kind_text || !at_text || !report_path || !program ||
            std::strcmp(program, program_invocation_short_name) != 0)
            return;
        if (std::strcmp(kind_text, "short") == 0)
            kind = Kind::part;
        else if (std::strcmp(kind_text, "slow") == 0)
            kind = Kind::late;
        else if (std::strcmp(kind_text, "wait") == 0)
            kind = Kind::wait;
        else if (std::strcmp(kind_text, "wait-open") == 0)
            kind = Kind::wait_open;
        else
            kind = Kind::error;
        error = std::strcmp(kind_text, "ENOSPC") == 0 ? ENOSPC : EIO;
        at = std::strtol(at_text, nullptr, 10);
        report = ::open(report_path, O_WRONLY | O_APPEND | O_CLOEXEC);
        struct stat status {};
        const bool found = path && *path && ::stat(path, &status) == 0;
        sources = found && S_ISDIR(status.st_mode);
        named = found && !sources;
        ring = path && *path && !sources;
        device = status.st_dev;
        inode = status.st_ino;
    }

    ~Plan()
    {
        if (report >= 0)
            ::dprintf(report, "%ld\n", seen.load());
    }
    Plan(const Plan&) = delete;
    Plan& operator=(const Plan&) = delete;

    Kind kind = Kind::none;
    int error = 0;
    long at = 0;
    int report = -1;
    bool ring = false;  // the file is what the ring has
    bool named = false;
    bool sources = false;  // all that is only read, on the device
    dev_t device = 0;
    ino_t inode = 0;
    // Of the program and those that it forks.
    std::atomic<long>& seen = *shared_counter();

private:
    static std::atomic<long>* shared_counter()
    {
        void* const page = ::mmap(nullptr, sizeof(std::atomic<long>), PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED)
            std::abort();
        return new (page) std::atomic<long>(0);
    }
};

Plan& plan()
{
    static Plan instance;
    return instance;
}

// From the start on, whatever is called first.
[[gnu::constructor]] void read_plan()
{
    plan();
}

bool meant(int fd)
{
    struct stat status {};
    if (plan().kind == Kind::none || plan().kind == Kind::wait_open || ::fstat(fd, &status) != 0 ||
        !(S_ISREG(status.st_mode) || S_ISBLK(status.st_mode)))
        return false;
    if (plan().named)
        return status.st_dev == plan().device && status.st_ino == plan().inode;
    const int flags = ::fcntl(fd, F_GETFL);
    if (!S_ISREG(status.st_mode) || flags < 0)
        return false;
    const bool only_read = (flags & O_ACCMODE) == O_RDONLY;
    if (plan().sources)
        return only_read && status.st_dev == plan().device;
    return !only_read && fd != plan().report;
}

long milliseconds()
{
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

off_t report_size()
{
    struct stat status {};
    return ::fstat(plan().report, &status) == 0 ? status.st_size : -1;
}

// Without a system call that a sandbox may not know.
void linger()
{
    for (const long end = milliseconds() + 300; milliseconds() < end;) {}
}

// Until the report is longer than that; not for ever, if nobody does it.
void wait_for_report(off_t size)
{
    for (const long end = milliseconds() + 60000; milliseconds() < end && report_size() <= size;) {}
}

// What to do about this request. can_be_part: it may do less than asked for.
Kind decide(bool can_be_part)
{
    if (++plan().seen != plan().at || (plan().kind == Kind::part && !can_be_part))
        return Kind::none;
    const std::string_view line = "fault\n";
    const off_t size = report_size() + static_cast<off_t>(line.size());
    (void)!::syscall(SYS_write, plan().report, line.data(), line.size());
    if (plan().kind == Kind::late)
        linger();
    else if (plan().kind == Kind::wait || plan().kind == Kind::wait_open)
        wait_for_report(size);
    return plan().kind;
}

// One of the calls; `size` is what it would do at most.
template <typename Call>
auto pass(int fd, size_t size, Call call) -> decltype(call(size))
{
    if (!meant(fd))
        return call(size);
    switch (decide(size > 1)) {
    case Kind::error:
        errno = plan().error;
        return -1;
    case Kind::part:
        return call(size / 2);
    default:
        return call(size);
    }
}

ssize_t vectors(long number, int fd, const iovec* buffers, int count, off_t offset, int flags)
{
    size_t total = 0;
    for (int i = 0; i < count; ++i)
        total += buffers[i].iov_len;
    return pass(fd, total, [&](size_t size) -> ssize_t {
        iovec first = buffers[0];
        if (size == total)
            return ::syscall(number, fd, buffers, count, offset, 0, flags);
        first.iov_len = size < first.iov_len ? size : first.iov_len;
        return ::syscall(number, fd, &first, 1, offset, 0, flags);
    });
}

}  // namespace

extern "C" {

int openat(int directory, const char* name, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    struct stat status {};
    if (plan().kind == Kind::wait_open && (flags & O_ACCMODE) == O_RDONLY &&
        ::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
        status.st_dev == plan().device)
        decide(false);
    return static_cast<int>(::syscall(SYS_openat, directory, name, flags, mode));
}

ssize_t read(int fd, void* data, size_t size)
{
    return pass(fd, size, [&](size_t part) { return ::syscall(SYS_read, fd, data, part); });
}

ssize_t write(int fd, const void* data, size_t size)
{
    return pass(fd, size, [&](size_t part) { return ::syscall(SYS_write, fd, data, part); });
}

ssize_t pread(int fd, void* data, size_t size, off_t offset)
{
    return pass(fd, size,
                [&](size_t part) { return ::syscall(SYS_pread64, fd, data, part, offset); });
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t offset)
{
    return pass(fd, size,
                [&](size_t part) { return ::syscall(SYS_pwrite64, fd, data, part, offset); });
}

ssize_t pread64(int fd, void* data, size_t size, off_t offset)
{
    return pread(fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void* data, size_t size, off_t offset)
{
    return pwrite(fd, data, size, offset);
}

ssize_t preadv2(int fd, const iovec* buffers, int count, off_t offset, int flags)
{
    return vectors(SYS_preadv2, fd, buffers, count, offset, flags);
}

ssize_t pwritev2(int fd, const iovec* buffers, int count, off_t offset, int flags)
{
    return vectors(SYS_pwritev2, fd, buffers, count, offset, flags);
}

int fdatasync(int fd)
{
    return pass(fd, 0, [&](size_t) { return static_cast<int>(::syscall(SYS_fdatasync, fd)); });
}

int fsync(int fd)
{
    return pass(fd, 0, [&](size_t) { return static_cast<int>(::syscall(SYS_fsync, fd)); });
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
    return pass(fd, 0, [&](size_t) {
        return static_cast<int>(::syscall(SYS_fallocate, fd, mode, offset, length));
    });
}

// The tools close what they inherit: all but the report.
int close_range(unsigned first, unsigned last, int flags)
{
    const int report = plan().report;
    if (report < 0 || static_cast<unsigned>(report) < first || static_cast<unsigned>(report) > last)
        return static_cast<int>(::syscall(SYS_close_range, first, last, flags));
    const auto kept = static_cast<unsigned>(report);
    if (first < kept && ::syscall(SYS_close_range, first, kept - 1, flags) != 0)
        return -1;
    return kept < last ? static_cast<int>(::syscall(SYS_close_range, kept + 1, last, flags)) : 0;
}

// An entry fails by naming a file that the ring does not have, and is cut short by having
// one buffer. The ring has the image alone.
int io_uring_submit(io_uring* ring)
{
    static const auto real =
        reinterpret_cast<int (*)(io_uring*)>(::dlsym(RTLD_NEXT, "io_uring_submit"));
    if (plan().kind != Kind::none && plan().ring) {
        for (unsigned i = ring->sq.sqe_head; i != ring->sq.sqe_tail; ++i) {
            io_uring_sqe& entry = ring->sq.sqes[i & *ring->sq.kring_mask];
            const Kind kind = decide(entry.len > 1);
            if (kind == Kind::error)
                entry.fd = 1;
            else if (kind == Kind::part)
                entry.len = 1;
        }
    }
    return real(ring);
}

}  // extern "C"
