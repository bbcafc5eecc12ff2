// SPDX-License-Identifier: GPL-2.0-only
// Programs that the program starts. One that the library does not reach would have the
// host's network in silence: it is refused, unless its environment is without the library,
// which says that this is wanted. One that takes this program's place ends our kernel
// (takeover.hpp).
#include <cerrno>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hijack/calls/borrowed.hpp"
#include "hijack/calls/paths.hpp"
#include "hijack/calls/rules.hpp"
#include "hijack/calls/takeover.hpp"
#include "hijack/preload/descriptors.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/message.hpp"
#include "hijack/preload/stack.hpp"
#include "hijack/preload/thread.hpp"
#include "hijack/programs/preloadable.hpp"

namespace hijack::calls {

namespace {

bool has_library(const char* const* environment)
{
    constexpr std::string_view variable = "LD_PRELOAD=";
    for (; environment && *environment; environment++) {
        const std::string_view entry(*environment);
        if (entry.starts_with(variable))
            return entry.find("liblkl-hijack.so") != entry.npos;
    }
    return false;
}

// What execveat(2) starts, as a path of its own.
std::string path_at(long directory, const char* path, long flags)
{
    std::string base = "/proc/self/fd/" + std::to_string(static_cast<int>(directory));
    if (*path == '\0' && (flags & AT_EMPTY_PATH))
        return base;
    if (*path == '/' || static_cast<int>(directory) == AT_FDCWD)
        return path;
    return base + "/" + path;
}

// Who looks for a program in all directories of PATH tries many that are not there, which is
// not worth the work of an exec: an error, or 0.
long look_for(long directory, const char* path, long flags)
{
    struct stat status {};
    const long result = host::call(SYS_newfstatat, directory, path, &status,
                                   flags & (AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW));
    const bool is_known = result == -ENOENT || result == -ENOTDIR || result == -EFAULT;
    return is_known ? result : 0;
}

// What the program in this one's place will not have.
void tell_of_descriptors(const std::string& path)
{
    if (!stack::is_up() || borrowed::is_borrower())
        return;
    const int left = descriptors::first_inherited();
    if (left >= 0 && host::call(SYS_faccessat, AT_FDCWD, path.c_str(), X_OK) == 0)
        message(path + ": descriptor " + std::to_string(left) +
                " does not go with exec: the network stack and the images of this process end "
                "with its program (docs/run.md)");
}

// What is done for a program before it is started in this one's place: 0, or the error of the
// call. What is no path is for the host to say.
long prepare(long directory, const char* path, long flags, const char* const* environment)
{
    if (!path)
        return 0;
    const Inside inside;
    const long found = look_for(directory, path, flags);
    if (found == -EFAULT)
        return found;
    if (static_cast<int>(directory) != AT_FDCWD && paths::is_ours(directory, path))
        return -EACCES;
    const std::string whole = path_at(directory, path, flags);
    if (const int error = refuse_program(whole, environment))
        return error;
    if (found < 0)
        return found;
    tell_of_descriptors(whole);
    return 0;
}

}  // namespace

int refuse_program(const std::string& path, const char* const* environment)
{
    if (paths::is_ours(AT_FDCWD, path.c_str())) {
        message(path + ": no program of an image can be started (docs/run.md)");
        return -EACCES;
    }
    if (!has_library(environment))
        return 0;
    const auto objection = programs::objection(path);
    if (!objection || objection->kind != programs::Objection::Kind::left_out)
        return 0;
    message(objection->path + ": " + objection->why + " (docs/run.md)");
    return -EACCES;
}

long execve(const long* args)
{
    if (const long error = prepare(AT_FDCWD, host::to_text(args[0]), 0,
                                   host::to_pointer<const char* const>(args[2])))
        return error;
    const takeover::Attempt attempt;
    return host::raw(SYS_execve, args);
}

long execveat(const long* args)
{
    if (const long error = prepare(args[0], host::to_text(args[1]), args[4],
                                   host::to_pointer<const char* const>(args[3])))
        return error;
    const takeover::Attempt attempt;
    return host::raw(SYS_execveat, args);
}

}  // namespace hijack::calls
