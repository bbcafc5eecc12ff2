// SPDX-License-Identifier: GPL-2.0-only
// The mount on the host: from its beginning until somebody unmounts it.
#pragma once

#include <memory>

#include <fuse_lowlevel.h>

#include "lklfuse/file_system.hpp"
#include "lklfuse/mounter.hpp"
#include "lklfuse/options.hpp"

namespace tools::lklfuse {

class Session {
public:
    // Mounts; requests wait until run(). Throws ToolError: ExitCode::usage for options
    // that FUSE does not know, ExitCode::output when it cannot mount.
    // All live longer.
    Session(Options& options, FileSystem& fs, Mounter& mounter);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    // Answers requests until it is unmounted, by somebody else or because of SIGINT,
    // SIGTERM or SIGHUP, which every thread has blocked (block_signals()). Throws
    // ToolError, ExitCode::internal.
    void run();

private:
    struct Destroy {
        void operator()(fuse_session* session) const { fuse_session_destroy(session); }
    };

    int serve();

    const Options& options_;
    FileSystem& fs_;
    Mounter& mounter_;
    std::unique_ptr<fuse_session, Destroy> session_;
    bool mounted_ = false;
};

}  // namespace tools::lklfuse
