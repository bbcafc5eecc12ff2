// SPDX-License-Identifier: GPL-2.0-only
#include "common/sandbox/landlock.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/descriptor.hpp"
#include "common/report.hpp"

namespace tools {

namespace {

// The kernel's interface up to version 6, of which the system's header may know less.
struct RulesetAttributes {
    uint64_t files;
    uint64_t network;
    uint64_t scopes;
};
constexpr uint64_t truncate_file = uint64_t{1} << 14;  // version 3
constexpr uint64_t ioctl_device = uint64_t{1} << 15;   // version 5
constexpr uint64_t bind_and_connect_tcp = 3;           // version 4
constexpr uint64_t sockets_and_signals = 3;            // version 6

constexpr uint64_t read_file = LANDLOCK_ACCESS_FS_READ_FILE;
constexpr uint64_t read_tree = read_file | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr uint64_t use_device = read_file | LANDLOCK_ACCESS_FS_WRITE_FILE | ioctl_device;
constexpr uint64_t rename_files = LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE;
constexpr uint64_t write_tree =
    read_tree | LANDLOCK_ACCESS_FS_WRITE_FILE | truncate_file | LANDLOCK_ACCESS_FS_REMOVE_DIR |
    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
    LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER;

// The first version that lets hard links be made between directories (Linux 5.19).
constexpr long least_version = 2;

// Everything that the version knows is forbidden unless a rule allows it.
RulesetAttributes everything(long version)
{
    RulesetAttributes all{(uint64_t{LANDLOCK_ACCESS_FS_REFER} << 1) - 1, 0, 0};
    if (version >= 3)
        all.files |= truncate_file;
    if (version >= 4)
        all.network = bind_and_connect_tcp;
    if (version >= 5)
        all.files |= ioctl_device;
    if (version >= 6)
        all.scopes = sockets_and_signals;
    return all;
}

[[noreturn]] void fail(const std::string& what)
{
    const int error = errno;
    throw ToolError(ExitCode::internal, "sandbox: " + what + ": " + std::strerror(error));
}

void allow(int ruleset, const std::string& path, uint64_t access, int flags = 0)
{
    const Descriptor file(open(path.c_str(), O_PATH | O_CLOEXEC | flags));
    struct stat status;
    if (!file || fstat(file.get(), &status) != 0)
        return;
    landlock_path_beneath_attr rule{};
    rule.parent_fd = file.get();
    rule.allowed_access = S_ISDIR(status.st_mode) ? access : access & (read_file | use_device);
    if (rule.allowed_access != 0 &&
        syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        fail(escaped(path) + ": Landlock");
}

}  // namespace

bool restrict_files(const FileAccess& access)
{
    const long version =
        syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < least_version)
        return false;
    const RulesetAttributes all = everything(version);
    const Descriptor ruleset(
        static_cast<int>(syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0)));
    if (!ruleset)
        fail("Landlock");
    // What a symbolic link points to is not what is to be read.
    for (const std::string& path : access.read)
        allow(ruleset.get(), path, read_tree, O_NOFOLLOW);
    for (const std::string& path : access.write)
        allow(ruleset.get(), path, write_tree & all.files);
    for (const std::string& path : access.rename)
        allow(ruleset.get(), path, rename_files);
    for (const std::string& path : access.device)
        allow(ruleset.get(), path, use_device & all.files);
    if (syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0)
        fail("Landlock");
    return true;
}

}  // namespace tools
