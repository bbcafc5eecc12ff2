// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/calls/paths.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <lkl/asm/stat.h>
#include <lkl/asm/unistd.h>

#include "hijack/calls/host_stat.hpp"
#include "hijack/files/routes.hpp"
#include "hijack/preload/descriptors.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/stack.hpp"

namespace hijack::paths {

namespace {

constexpr long none = -1;

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
    {SYS_utimensat, __lkl__NR_utimensat, true},
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

// By the number of the call: most calls have no path, and must not pay for the others.
constexpr std::array<int8_t, 512> positions_by_number()
{
    std::array<int8_t, 512> table{};
    for (size_t i = 0; i < std::size(rules); i++)
        table[static_cast<size_t>(rules[i].number)] = static_cast<int8_t>(i + 1);
    return table;
}

constexpr std::array<int8_t, 512> positions = positions_by_number();

const Rule* find(long number)
{
    const int position = positions[static_cast<size_t>(number)];
    return position == 0 ? nullptr : &rules[position - 1];
}

// What the program calls an open directory of ours, or empty.
std::string name_of(int kernel_fd)
{
    const std::string link = "/proc/self/fd/" + std::to_string(kernel_fd);
    char text[4096];
    const long n = stack::call(__lkl__NR_readlinkat, AT_FDCWD, link.c_str(), text, sizeof text);
    if (n <= 0)
        return {};
    return routes::of_program(std::string(text, static_cast<size_t>(n))).value_or("");
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
        }
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

long call_and_convert(long kernel_number, const long* args)
{
    if (kernel_number == __lkl__NR_openat || kernel_number == __lkl__NR_openat2) {
        const long fd = stack::call_with(kernel_number, args);
        const long flags = kernel_number == __lkl__NR_openat ? args[2] : O_CLOEXEC;
        return fd < 0 ? fd : descriptors::add(static_cast<int>(fd), flags & O_CLOEXEC);
    }
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

}  // namespace

std::optional<long> run(long number, const long* args)
{
    const Rule* const rule = find(number);
    if (!rule)
        return {};
    long to[7] = {};
    spread(*rule, args, to);
    const Inside inside;
    if (rule->kernel_number == __lkl__NR_openat)
        if (const int fd = routes::substitute(host::to_text(to[1]), to[2]); fd >= 0)
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
        there[1] = reinterpret_cast<long>(first.of_host->c_str());
        return host::raw(number, there);
    }
    if (!first.ours)
        return {};
    if (first.error)
        return first.error;
    to[0] = first.dirfd();
    to[1] = reinterpret_cast<long>(first.text());
    return call_and_convert(rule->kernel_number, rule->plain ? to + 1 : to);
}

long map(const long* args)
{
    const int kernel_fd = descriptors::ours(args[4]);
    if (kernel_fd < 0 || (args[3] & MAP_ANONYMOUS))
        return host::raw(SYS_mmap, args);
    if (!(args[3] & MAP_PRIVATE) && (args[2] & PROT_WRITE))
        return -ENODEV;
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
