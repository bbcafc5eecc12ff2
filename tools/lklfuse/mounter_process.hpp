// SPDX-License-Identifier: GPL-2.0-only
// The process that mounts, and what is said between it and the one that serves: a
// command of one byte, and then a reply. Datagrams (SOCK_SEQPACKET); the reply to
// mounter_mount carries the connection (SCM_RIGHTS).
#pragma once

#include <array>

#include "common/descriptor.hpp"
#include "lklfuse/host_mount.hpp"
#include "lklfuse/options.hpp"

namespace tools::lklfuse {

constexpr char mounter_mount = 'm';
constexpr char mounter_write_cache = 'w';
constexpr char mounter_unmount = 'u';
constexpr char mounter_unmount_lazily = 'l';

struct MounterReply {
    Unmounted unmounted = Unmounted::in_use;  // of a command to unmount
    std::array<char, 1024> text{};            // why it cannot mount, if that is known
};

// The other side. The descriptor that came with the reply, or none. A process that is
// gone has done nothing.
Descriptor ask_mounter(int channel, char command, MounterReply& reply);

// Obeys until the other end is closed.
[[noreturn]] void run_mounter_process(Descriptor channel, Options& options);

}  // namespace tools::lklfuse
