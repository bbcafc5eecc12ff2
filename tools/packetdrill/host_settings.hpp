// SPDX-License-Identifier: GPL-2.0-only
// What scripts set below /proc/sys/net of the host is meant for our kernel.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <lkl/kernel.hpp>

#include "common/descriptor.hpp"

namespace packetdrill {

// packetdrill runs a script's commands (sysctl, echo > /proc/sys/...) as programs of the
// host. Each write to a setting of the network namespace that this process is in is seen
// by inotify(7), whatever the value was before, and repeated. Any thread.
class HostSettings {
public:
    // Nothing is seen where the host has no /proc/sys/net or no inotify instance is left.
    HostSettings();

    // Repeats in `kernel`, which has /proc mounted, what was written since the last call.
    // A line on standard error for what `kernel` does not take.
    void apply(lkl::Kernel& kernel);

private:
    void watch(const std::string& directory);
    std::vector<std::string> written();

    std::mutex mutex_;
    tools::Descriptor events_;
    struct Directory {
        std::string path;
        // One of /proc that nobody holds is another one at the next look.
        tools::Descriptor held;
    };
    std::map<int, Directory> directories_;  // by the number of the watch
    // The host's. A refused write looks like one of the same value, since files are opened to
    // truncate them, which is seen as well. Of congestion controls the host refuses what is
    // not for everybody, and its own is not what the script wants then.
    std::string congestion_;
};

}  // namespace packetdrill
