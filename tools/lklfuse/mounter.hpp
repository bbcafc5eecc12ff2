// SPDX-License-Identifier: GPL-2.0-only
// Mounting on the host, which the process that serves cannot do itself: it is shut in
// before it looks at the image, and mounts when it knows that there is a file system.
//
// So there is a second process, which has never seen anything of the image. All that it
// can be asked for is what stands below, for the one mount point. It ends when the one
// that serves does, however that ends.
#pragma once

#include <string>

#include "common/descriptor.hpp"
#include "lklfuse/host_mount.hpp"
#include "lklfuse/options.hpp"

namespace tools::lklfuse {

class Mounter {
public:
    // Makes the process; to be called before there are threads or descriptors that it
    // has no business with. A mount point "/dev/fd/N" is mounted already: no process.
    // Throws ToolError, ExitCode::internal. The options live longer.
    explicit Mounter(Options& options);
    Mounter(const Mounter&) = delete;
    Mounter& operator=(const Mounter&) = delete;

    // Mounts. The connection to the host's kernel, whose requests wait for answers.
    // Throws ToolError, ExitCode::output.
    Descriptor mount();

    // False: somebody else has mounted, who will unmount.
    bool ours() const { return static_cast<bool>(channel_); }
    // Has the host write what it holds back: it comes as requests.
    void write_host_cache();
    // lazy: out of the way, for what is open to end. Of a mount that is not ours,
    // Unmounted::in_use: it is left to who made it.
    Unmounted unmount(bool lazy);

private:
    Descriptor take_over() const;

    Options& options_;
    Descriptor channel_;
};

}  // namespace tools::lklfuse
