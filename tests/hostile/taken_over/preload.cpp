// SPDX-License-Identifier: GPL-2.0-only
// Laid under a tool by LD_PRELOAD: what code of a crafted image could try. When the tool that
// has shut itself in starts the first thread of its kernel, one system call is made in its
// place, as itself and without the C library:
//
//   LKL_TRY   the call, one of those below
//
//   LKL_NODE  for the calls "character" and "block": a device node, an absolute path. It is
//             made, as /dev/null's or the first loop device's, if it is not there, and opened in
//             all ways that lead to it
//
//   LKL_NO_CLOSE_RANGE   if it is there, close_range(2) is not
//
// Standard error gets the line "tried NAME: ERRNO", if the process survives; it goes on. A tool
// that is not shut in tries nothing.
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace {

struct Attempt {
    const char* name;
    long number;
    std::array<long, 4> arguments;
};

long address(const char* text)
{
    return reinterpret_cast<long>(text);
}

const std::array attempts{
    Attempt{"open", SYS_open, {address("/etc/passwd"), O_RDONLY}},
    Attempt{"openat", SYS_openat, {AT_FDCWD, address("/etc/fstab"), O_RDONLY}},
    Attempt{"openat-write", SYS_openat, {AT_FDCWD, address("/tmp/taken-over"), O_WRONLY | O_CREAT}},
    Attempt{"socket", SYS_socket, {AF_UNIX, SOCK_STREAM}},
    Attempt{"execve", SYS_execve, {address("/bin/true")}},
    Attempt{"ptrace", SYS_ptrace, {PTRACE_TRACEME}},
    Attempt{"kill", SYS_kill, {1, 0}},
    Attempt{"mount", SYS_mount, {}},
    Attempt{"fork", SYS_fork, {}},
    Attempt{"prctl", SYS_prctl, {PR_SET_DUMPABLE, 1}},
};

// The inner filter does not know this question; without a filter the answer is 0.
bool shut_in()
{
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 0;
}

// What comes of it: 0 if one of the ways opens it.
int open_device(const char* path, mode_t type)
{
    if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0 &&
        mknodat(AT_FDCWD, path, type | 0600, type == S_IFCHR ? makedev(1, 3) : makedev(7, 0)) != 0)
        return errno;
    constexpr int descriptors = 64;
    const std::array names{path, path + 1, std::strrchr(path, '/') + 1};
    int result = ENOENT;
    for (int base = -1; base < descriptors; base++) {
        for (const char* const name : names) {
            const long file = syscall(SYS_openat, base < 0 ? AT_FDCWD : base, name,
                                      O_RDONLY | O_NONBLOCK | O_CLOEXEC);
            if (file >= 0)
                return 0;
            if (errno == EACCES && result == ENOENT)
                result = EACCES;
            else if (errno != EACCES && errno != ENOENT && errno != ENOTDIR && errno != EBADF)
                result = errno;
        }
    }
    return result;
}

void try_it(const char* name)
{
    const char* const node = std::getenv("LKL_NODE");
    if (node != nullptr) {
        const mode_t type = std::strcmp(name, "block") == 0 ? S_IFBLK : S_IFCHR;
        dprintf(STDERR_FILENO, "tried %s: %d\n", name, open_device(node, type));
        return;
    }
    for (const Attempt& attempt : attempts) {
        if (std::strcmp(attempt.name, name) != 0)
            continue;
        const auto& [a, b, c, d] = attempt.arguments;
        const long result = syscall(attempt.number, a, b, c, d);
        dprintf(STDERR_FILENO, "tried %s: %d\n", name, result < 0 ? errno : 0);
        return;
    }
    dprintf(STDERR_FILENO, "no such call: %s\n", name);
    _exit(EXIT_FAILURE);
}

}  // namespace

// A host without this call.
extern "C" int close_range(unsigned first, unsigned last, int flags)
{
    if (std::getenv("LKL_NO_CLOSE_RANGE") == nullptr)
        return static_cast<int>(syscall(SYS_close_range, first, last, flags));
    errno = ENOSYS;
    return -1;
}

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                              void* (*function)(void*), void* argument)
{
    using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
    static const auto real = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
    static const char* wanted = std::getenv("LKL_TRY");
    if (wanted != nullptr && shut_in()) {
        try_it(wanted);
        wanted = nullptr;
    }
    return real(thread, attributes, function, argument);
}
