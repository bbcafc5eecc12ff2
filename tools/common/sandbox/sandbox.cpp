// SPDX-License-Identifier: GPL-2.0-only
#include "common/sandbox/sandbox.hpp"

#include <cerrno>
#include <cstring>
#include <ctime>

#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <sys/prctl.h>

#include "common/report.hpp"
#include "common/sandbox/capabilities.hpp"
#include "common/sandbox/devices.hpp"
#include "common/sandbox/landlock.hpp"
#include "common/sandbox/seccomp.hpp"

namespace tools {

namespace {

// AddressSanitizer and its like trace their own process at its end, and more. /proc tells them of
// its threads.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

// The C library reads its configuration now. (Times in archives may be local ones.)
void prepare_look_ups()
{
    tzset();
    (void)getpwnam("root");
    (void)getgrnam("root");
}

// Trees of the host are open to the process, in which there may be device nodes.
bool uses_trees(const SandboxRules& rules)
{
    return !rules.read.empty() || !rules.write.empty();
}

// Who makes nodes and can open devices has all of them. (An ordinary user may still make the
// one of overlayfs's whiteouts, behind which there is nothing.)
Capabilities needed_capabilities(const SandboxRules& rules, bool devices_refused)
{
    Capabilities needed;
    if (!rules.read.empty())
        needed.add_readers();
    if (!rules.write.empty())
        needed.add_writers();
    if (!rules.write.empty() && devices_refused)
        needed.add_device_makers();
    if (!rules.rename.empty())
        needed.add_renamers();
    return needed;
}

FileAccess needed_access(const SandboxRules& rules)
{
    FileAccess access{rules.read, rules.write, rules.rename, {}};
    if (rules.serve_fuse || sanitized)
        access.read.emplace_back("/proc");
    if (rules.clone_fuse)
        access.device.emplace_back("/dev/fuse");
    if (rules.read_archive) {
        for (const char* file :
             {"/etc/nsswitch.conf", "/etc/passwd", "/etc/group", "/usr/lib/locale",
              "/usr/share/locale", "/usr/lib/x86_64-linux-gnu/gconv", "/usr/lib64/gconv"})
            access.read.emplace_back(file);
    }
    return access;
}

CallGroups needed_calls(const SandboxRules& rules)
{
    CallGroups calls;
    calls.open = !rules.read.empty() || rules.read_archive || rules.serve_fuse;
    calls.read_attributes = uses_trees(rules);
    calls.change_files = !rules.write.empty();
    calls.rename = !rules.rename.empty();
    calls.read_archive = rules.read_archive;
    calls.serve_fuse = rules.serve_fuse;
    calls.open_devices = rules.clone_fuse;
    return calls;
}

}  // namespace

void enter_sandbox(const SandboxRules& rules)
{
    if (rules.off) {
        report("--no-sandbox: a crafted image may do all that you may");
        return;
    }
    if (rules.read_archive || rules.serve_fuse)
        prepare_look_ups();
    // An empty network, where that is allowed. Without it the filter of system calls has
    // to do, which knows no sockets. Not in a user namespace of our own: it would show the
    // owners of other people's files wrongly.
    (void)unshare(CLONE_NEWNET);
    const bool devices_refused = uses_trees(rules) && refuse_devices();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        throw ToolError(ExitCode::internal,
                        std::string("sandbox: no_new_privs: ") + std::strerror(errno));
    if (!restrict_files(needed_access(rules)) && rules.clone_fuse)
        throw ToolError(ExitCode::internal,
                        "sandbox: without Landlock (Linux 5.19) there is no way to have "
                        "clone_fd and a sandbox");
    keep_capabilities(needed_capabilities(rules, devices_refused));
    if (!sanitized)
        restrict_calls(needed_calls(rules));
}

}  // namespace tools
