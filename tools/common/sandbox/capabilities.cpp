// SPDX-License-Identifier: GPL-2.0-only
#include "common/sandbox/capabilities.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/report.hpp"

namespace tools {

namespace {

constexpr uint64_t bit(int capability)
{
    return uint64_t{1} << capability;
}

[[noreturn]] void fail(const char* what)
{
    throw ToolError(ExitCode::internal,
                    std::string("sandbox: ") + what + ": " + std::strerror(errno));
}

}  // namespace

// CAP_SYS_ADMIN is what the kernel asks of those who read trusted.* attributes, or write
// those and security.*. What else it stands for (mounts, namespaces, ...) takes system
// calls that the filter does not know.
void Capabilities::add_readers()
{
    bits_ |= bit(CAP_DAC_READ_SEARCH) | bit(CAP_SYS_ADMIN);
}

void Capabilities::add_writers()
{
    bits_ |= bit(CAP_CHOWN) | bit(CAP_DAC_OVERRIDE) | bit(CAP_FOWNER) | bit(CAP_FSETID) |
             bit(CAP_SETFCAP) | bit(CAP_SYS_ADMIN);
}

void Capabilities::add_device_makers()
{
    bits_ |= bit(CAP_MKNOD);
}

void Capabilities::add_renamers()
{
    bits_ |= bit(CAP_DAC_OVERRIDE) | bit(CAP_FOWNER);
}

void keep_capabilities(const Capabilities& kept)
{
    // What the process has no right to change has no meaning under no_new_privs.
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
        if ((kept.bits() & bit(capability)) == 0)
            (void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    }
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);

    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
    if (syscall(SYS_capget, &header, sets.data()) != 0)
        fail("capabilities");
    for (size_t i = 0; i < sets.size(); ++i) {
        const auto part = static_cast<uint32_t>(kept.bits() >> (32 * i));
        sets[i].permitted &= part;
        sets[i].effective &= part;
        sets[i].inheritable = 0;
    }
    if (syscall(SYS_capset, &header, sets.data()) != 0)
        fail("giving up capabilities");
}

}  // namespace tools
