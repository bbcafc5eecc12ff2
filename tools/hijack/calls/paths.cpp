// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/calls/paths.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include <lkl/asm/stat.h>
#include <lkl/asm/unistd.h>

#include "hijack/calls/host_stat.hpp"
#include "hijack/files/routes.hpp"
#include "hijack/preload/descriptors.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/stack.hpp"

namespace hijack::paths {

namespace {

constexpr int none = -1;
// Newer than some headers of the host's.
constexpr long fchmodat2 = 452;

// A call with one path, or with two of which the second begins behind the first. Those of
// x86-64 that the generic table lacks become calls of theirs with a directory.
struct Rule {
    long number;         // on the host
    long kernel_number;  // in our kernel
    bool has_directory;  // the path follows its directory's descriptor
    long extra = none;   // a last argument that the new call has in addition
    int count = 0;       // of arguments, where there is an extra one, as the new call has them
    bool two = false;    // two paths, each with its directory if they have one
    bool plain = false;  // our kernel's call has no directory either
};

constexpr Rule rules[] = {
    {SYS_open, __lkl__NR_openat, false},
    {SYS_openat, __lkl__NR_openat, true},
    {SYS_openat2, __lkl__NR_openat2, true},
    {SYS_stat, __lkl__NR_newfstatat, false, 0, 3},
    {SYS_lstat, __lkl__NR_newfstatat, false, AT_SYMLINK_NOFOLLOW, 3},
    {SYS_newfstatat, __lkl__NR_newfstatat, true},
    {SYS_statx, __lkl__NR_statx, true},
    {SYS_access, __lkl__NR_faccessat, false},
    {SYS_faccessat, __lkl__NR_faccessat, true},
    {SYS_faccessat2, __lkl__NR_faccessat2, true},
    {SYS_readlink, __lkl__NR_readlinkat, false},
    {SYS_readlinkat, __lkl__NR_readlinkat, true},
    {SYS_mkdir, __lkl__NR_mkdirat, false},
    {SYS_mkdirat, __lkl__NR_mkdirat, true},
    {SYS_unlink, __lkl__NR_unlinkat, false, 0, 2},
    {SYS_rmdir, __lkl__NR_unlinkat, false, AT_REMOVEDIR, 2},
    {SYS_unlinkat, __lkl__NR_unlinkat, true},
    {SYS_chmod, __lkl__NR_fchmodat, false},
    {SYS_fchmodat, __lkl__NR_fchmodat, true},
    {SYS_chown, __lkl__NR_fchownat, false, 0, 4},
    {SYS_lchown, __lkl__NR_fchownat, false, AT_SYMLINK_NOFOLLOW, 4},
    {SYS_fchownat, __lkl__NR_fchownat, true},
    {fchmodat2, __lkl__NR_fchmodat2, true},
    {SYS_mknod, __lkl__NR_mknodat, false},
    {SYS_mknodat, __lkl__NR_mknodat, true},
    {SYS_utimensat, __lkl__NR_utimensat, true},
    // With times as utimensat(2) has them, by own_times().
    {SYS_utime, __lkl__NR_utimensat, false, 0, 3},
    {SYS_utimes, __lkl__NR_utimensat, false, 0, 3},
    {SYS_futimesat, __lkl__NR_utimensat, true, 0, 3},
    {SYS_rename, __lkl__NR_renameat2, false, 0, 4, true},
    {SYS_renameat, __lkl__NR_renameat2, true, 0, 4, true},
    {SYS_renameat2, __lkl__NR_renameat2, true, none, 0, true},
    {SYS_link, __lkl__NR_linkat, false, 0, 4, true},
    {SYS_linkat, __lkl__NR_linkat, true, none, 0, true},
    {SYS_statfs, __lkl__NR_statfs, false, none, 0, false, true},
    {SYS_truncate, __lkl__NR_truncate, false, none, 0, false, true},
    {SYS_getxattr, __lkl__NR_getxattr, false, none, 0, false, true},
    {SYS_lgetxattr, __lkl__NR_lgetxattr, false, none, 0, false, true},
    {SYS_setxattr, __lkl__NR_setxattr, false, none, 0, false, true},
    {SYS_lsetxattr, __lkl__NR_lsetxattr, false, none, 0, false, true},
    {SYS_listxattr, __lkl__NR_listxattr, false, none, 0, false, true},
    {SYS_llistxattr, __lkl__NR_llistxattr, false, none, 0, false, true},
    {SYS_removexattr, __lkl__NR_removexattr, false, none, 0, false, true},
    {SYS_lremovexattr, __lkl__NR_lremovexattr, false, none, 0, false, true},
};

// Calls that cannot do what they do on files of ours, and must not do it to the host's of
// that name. ENOSPC lets programs that would watch a file look at it now and then. One with
// two paths is there twice.
struct Refusal {
    long number;
    int directory;  // which argument, or none
    int path;
    int error;
};

constexpr Refusal refusals[] = {
    {SYS_name_to_handle_at, 0, 1, EOPNOTSUPP},
    {SYS_inotify_add_watch, none, 1, ENOSPC},
    {SYS_fanotify_mark, 3, 4, EOPNOTSUPP},
    {SYS_mount, none, 0, EOPNOTSUPP},
    {SYS_mount, none, 1, EOPNOTSUPP},
    {SYS_umount2, none, 0, EOPNOTSUPP},
    {SYS_pivot_root, none, 0, EOPNOTSUPP},
    {SYS_pivot_root, none, 1, EOPNOTSUPP},
    {SYS_open_tree, 0, 1, EOPNOTSUPP},
    {SYS_move_mount, 0, 1, EOPNOTSUPP},
    {SYS_move_mount, 2, 3, EOPNOTSUPP},
    {SYS_fspick, 0, 1, EOPNOTSUPP},
    {SYS_mount_setattr, 0, 1, EOPNOTSUPP},
    {SYS_chroot, none, 0, EOPNOTSUPP},
    {SYS_swapon, none, 0, EOPNOTSUPP},
    {SYS_swapoff, none, 0, EOPNOTSUPP},
    {SYS_acct, none, 0, EOPNOTSUPP},
    {SYS_quotactl, none, 1, EOPNOTSUPP},
    {SYS_uselib, none, 0, EOPNOTSUPP},
    // Newer than our kernel, and than some headers: setxattrat(), getxattrat(), listxattrat(),
    // removexattrat(), open_tree_attr(), file_getattr(), file_setattr().
    {463, 0, 1, ENOSYS},
    {464, 0, 1, ENOSYS},
    {465, 0, 1, ENOSYS},
    {466, 0, 1, ENOSYS},
    {467, 0, 1, ENOSYS},
    {468, 0, 1, ENOSYS},
    {469, 0, 1, ENOSYS},
};

// By the number of the call: most calls have no path, and must not pay for the others.
constexpr int8_t refused = -1;

constexpr std::array<int8_t, 512> positions_by_number()
{
    std::array<int8_t, 512> table{};
    for (const Refusal& refusal : refusals)
        table[static_cast<size_t>(refusal.number)] = refused;
    for (size_t i = 0; i < std::size(rules); i++)
        table[static_cast<size_t>(rules[i].number)] = static_cast<int8_t>(i + 1);
    return table;
}

constexpr std::array<int8_t, 512> positions = positions_by_number();

// What our kernel calls an open file of ours, by its link there. 0 or negative errno.
long read_link(const std::string& link, std::string& name)
{
    char text[4096];
    const long n = stack::call(__lkl__NR_readlinkat, AT_FDCWD, link.c_str(), text, sizeof text);
    if (n > 0)
        name.assign(text, static_cast<size_t>(n));
    return std::min(n, 0l);
}

// What the program calls an open directory of ours, or empty.
std::string name_of(int kernel_fd)
{
    std::string name;
    read_link("/proc/self/fd/" + std::to_string(kernel_fd), name);
    return routes::of_program(name).value_or("");
}

// readlinkat(2) on such a link, with the program's name; a socket's is no path. What is longer
// than the buffer is cut off.
long copy_link(const std::string& link, long buffer, int size)
{
    if (size <= 0)
        return -EINVAL;
    std::string name;
    if (const long error = read_link(link, name); error < 0)
        return error;
    name = routes::of_program(name).value_or(name);
    const size_t length = std::min(name.size(), static_cast<size_t>(size));
    name.copy(host::to_pointer<char>(buffer), length);
    return static_cast<long>(length);
}

bool climbs(std::string_view path)
{
    return path == ".." || path.starts_with("../") || path.ends_with("/..") ||
           path.find("/../") != path.npos;
}

// A place in a directory of ours or of the host's.
struct Place {
    Place(long dirfd, const char* given) : directory(descriptors::ours(dirfd)), path(given)
    {
        if (directory >= 0 && !(given && *given == '/')) {
            ours = true;
            if (given && climbs(given))
                climb();
            return;
        }
        if ((routed = routes::in_our_kernel(dirfd, given))) {
            ours = true;
            // The host's file of that name would tell of another network.
            error = stack::start();
            return;
        }
        // The host need not have the directory of ours that the path goes through.
        of_host = routes::out_of_ours(dirfd, given);
    }
    long dirfd() const { return routed ? AT_FDCWD : directory; }
    const char* text() const { return routed ? routed->c_str() : path; }

    int directory;
    const char* path;
    std::optional<std::string> routed;
    std::optional<std::string> of_host;  // where it leads out of ours
    bool ours = false;
    int error = 0;

private:
    void climb()
    {
        const std::string base = name_of(directory);
        if (base.empty())
            return;
        const std::string name = base + "/" + path;
        routed = routes::in_our_kernel(AT_FDCWD, name.c_str());
        ours = routed.has_value();
        if (!ours)
            of_host = name;
    }
};

// The arguments as the generic table has them: a directory before each path.
void spread(const Rule& rule, const long* args, long* to)
{
    if (rule.has_directory) {
        std::copy(args, args + 6, to);
    } else {
        to[0] = AT_FDCWD;
        std::copy(args, args + 5, to + 1);
        if (rule.two) {
            to[2] = AT_FDCWD;
            std::copy(args + 1, args + 4, to + 3);
        }
    }
    if (rule.extra != none)
        to[rule.count] = rule.extra;
}

// Without O_DIRECT: our kernel reaches the program's memory by copying alone.
long open(long kernel_number, const long* args)
{
    std::array<long, 6> ours{};
    std::copy_n(args, ours.size(), ours.begin());
    open_how how{};
    bool close_on_exec;
    if (kernel_number == __lkl__NR_openat) {
        close_on_exec = args[2] & O_CLOEXEC;
        ours[2] &= ~O_DIRECT;
    } else {
        // A structure of another size is our kernel's to judge.
        const auto* const given = host::to_pointer<const open_how>(args[2]);
        if (args[3] == sizeof how) {
            how = *given;
            how.flags &= ~static_cast<uint64_t>(O_DIRECT);
            ours[2] = reinterpret_cast<long>(&how);
        }
        close_on_exec = given->flags & O_CLOEXEC;
    }
    const long fd = stack::call_with(kernel_number, ours.data());
    return fd < 0 ? fd : descriptors::add(static_cast<int>(fd), close_on_exec);
}

long call_and_convert(long kernel_number, const long* args)
{
    if (kernel_number == __lkl__NR_openat || kernel_number == __lkl__NR_openat2)
        return open(kernel_number, args);
    if (kernel_number != __lkl__NR_newfstatat)
        return stack::call_with(kernel_number, args);
    lkl_stat status{};
    auto* const target = host::to_pointer<struct stat>(args[2]);
    std::array<long, 6> ours{};
    std::copy_n(args, ours.size(), ours.begin());
    ours[2] = reinterpret_cast<long>(&status);
    const long result = stack::call_with(kernel_number, ours.data());
    if (result == 0)
        *target = host_stat(status);
    return result;
}

bool is_there(long directory, const char* path)
{
    const bool full = path && *path == '/';
    return (!full && descriptors::ours(directory) >= 0) || routes::in_our_kernel(directory, path);
}

std::optional<long> refuse(long number, const long* args)
{
    const Inside inside;
    for (const Refusal& one : refusals)
        if (one.number == number && is_there(one.directory == none ? AT_FDCWD : args[one.directory],
                                             host::to_text(args[one.path])))
            return -one.error;
    return {};
}

// The link is the path, whatever it leads to.
std::optional<long> make_link(const char* target, long directory, const char* path)
{
    const Inside inside;
    const Place place(directory, path);
    if (place.of_host)
        return host::call(SYS_symlinkat, target, AT_FDCWD, place.of_host->c_str());
    if (!place.ours)
        return {};
    return place.error ? place.error
                       : stack::call(__lkl__NR_symlinkat, target, place.dirfd(), place.text());
}

// The times of older calls as utimensat(2) has them: null is now. False: they are none.
bool own_times(long number, long given, timespec* times)
{
    if (number == SYS_utime) {
        const auto* const seconds = host::to_pointer<const utimbuf>(given);
        times[0] = {seconds->actime, 0};
        times[1] = {seconds->modtime, 0};
        return true;
    }
    const auto* const values = host::to_pointer<const timeval>(given);
    for (int i = 0; i < 2; i++) {
        if (values[i].tv_usec < 0 || values[i].tv_usec >= 1'000'000)
            return false;
        times[i] = {values[i].tv_sec, values[i].tv_usec * 1000};
    }
    return true;
}

bool has_old_times(long number)
{
    return number == SYS_utime || number == SYS_utimes || number == SYS_futimesat;
}

}  // namespace

std::optional<long> run(long number, const long* args)
{
    if (number == SYS_creat) {
        const long open[6] = {args[0], O_CREAT | O_WRONLY | O_TRUNC, args[1], 0, 0, 0};
        return run(SYS_open, open);
    }
    if (number == SYS_symlink)
        return make_link(host::to_text(args[0]), AT_FDCWD, host::to_text(args[1]));
    if (number == SYS_symlinkat)
        return make_link(host::to_text(args[0]), args[1], host::to_text(args[2]));
    const int position = positions[static_cast<size_t>(number)];
    if (position == 0)
        return {};
    if (position == refused)
        return refuse(number, args);
    const Rule* const rule = &rules[position - 1];
    long to[7] = {};
    spread(*rule, args, to);
    const Inside inside;
    if (rule->kernel_number == __lkl__NR_openat)
        if (const int fd = routes::substitute(to[0], host::to_text(to[1]), to[2]); fd >= 0)
            return fd;
    const Place first(to[0], host::to_text(to[1]));
    if (rule->two) {
        const Place second(to[2], host::to_text(to[3]));
        if (first.ours != second.ours)
            return -EXDEV;
        to[2] = second.dirfd();
        to[3] = reinterpret_cast<long>(second.text());
        if (!first.ours)
            return {};
        if (const int error = first.error ? first.error : second.error)
            return error;
        to[0] = first.dirfd();
        to[1] = reinterpret_cast<long>(first.text());
        return call_and_convert(rule->kernel_number, to);
    }
    if (first.of_host) {
        long there[6];
        std::copy(args, args + 6, there);
        there[rule->has_directory ? 1 : 0] = reinterpret_cast<long>(first.of_host->c_str());
        return host::raw(number, there);
    }
    if (!first.ours)
        return {};
    if (first.error)
        return first.error;
    if (rule->kernel_number == __lkl__NR_readlinkat && first.routed &&
        routes::is_open_file(*first.routed))
        return copy_link(*first.routed, to[2], static_cast<int>(to[3]));
    to[0] = first.dirfd();
    to[1] = reinterpret_cast<long>(first.text());
    timespec times[2];
    if (has_old_times(number) && to[2] != 0) {
        if (!own_times(number, to[2], times))
            return -EINVAL;
        to[2] = reinterpret_cast<long>(times);
    }
    return call_and_convert(rule->kernel_number, rule->plain ? to + 1 : to);
}

bool is_ours(long directory, const char* path)
{
    const Inside inside;
    return is_there(directory, path);
}

long map(const long* args)
{
    const int kernel_fd = descriptors::ours(args[4]);
    if (kernel_fd < 0 || (args[3] & MAP_ANONYMOUS))
        return host::raw(SYS_mmap, args);
    if (!(args[3] & MAP_PRIVATE) && (args[2] & PROT_WRITE))
        return -ENODEV;
    // Only files are: a socket has nothing to map.
    {
        const Inside inside;
        if (stack::call(__lkl__NR_lseek, kernel_fd, 0, SEEK_CUR) < 0)
            return -ENODEV;
    }
    const long flags =
        (args[3] & ~(MAP_SHARED | MAP_SHARED_VALIDATE)) | MAP_PRIVATE | MAP_ANONYMOUS;
    const long memory =
        host::call(SYS_mmap, args[0], args[1], args[2] | PROT_READ | PROT_WRITE, flags, -1, 0);
    if (memory < 0)
        return memory;
    const Inside inside;
    for (long done = 0; done < args[1];) {
        const long n = stack::call(__lkl__NR_pread64, kernel_fd, memory + done, args[1] - done,
                                   args[5] + done);
        if (n <= 0)
            break;
        done += n;
    }
    host::call(SYS_mprotect, memory, args[1], args[2]);
    return memory;
}

namespace {

// 0 with its status, or an error: a directory of our kernel.
long look_at(const std::string& path, lkl_stat& status)
{
    if (const int error = stack::start())
        return error;
    const long result = stack::call(__lkl__NR_newfstatat, AT_FDCWD, path.c_str(), &status, 0);
    return result < 0 || S_ISDIR(status.st_mode) ? result : -ENOTDIR;
}

// Where the host's directory leads to in our kernel is the same as `path`. Where the names
// say so, the stack need not be there: a shell that has it takes it from the programs
// that it starts.
long leads_to(long host_fd, const std::string& path)
{
    const auto there = routes::in_our_kernel(host_fd, ".");
    if (there == path && !stack::is_up())
        return 0;
    lkl_stat wanted{};
    if (const long error = look_at(path, wanted); error < 0)
        return error;
    lkl_stat found{};
    if (!there || look_at(*there, found) < 0 || found.st_ino != wanted.st_ino ||
        found.st_dev != wanted.st_dev)
        return -EOPNOTSUPP;
    return 0;
}

long change_to(const char* path)
{
    const auto routed = routes::in_our_kernel(AT_FDCWD, path);
    if (!routed)
        return host::call(SYS_chdir, path);
    if (!routes::tells_of_network(*routed))
        return -EOPNOTSUPP;
    const long fd = host::call(SYS_openat, AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    long result = leads_to(fd, *routed);
    if (fd < 0)
        return result;
    if (result == 0)
        result = host::call(SYS_fchdir, fd);
    host::call(SYS_close, fd);
    return result;
}

}  // namespace

long change_directory(const long* args)
{
    const Inside inside;
    return change_to(host::to_text(args[0]));
}

long change_directory_to(const long* args)
{
    const int kernel_fd = descriptors::ours(args[0]);
    if (kernel_fd < 0)
        return host::raw(SYS_fchdir, args);
    const Inside inside;
    const std::string name = name_of(kernel_fd);
    return name.empty() ? -ENOTDIR : change_to(name.c_str());
}

}  // namespace hijack::paths
