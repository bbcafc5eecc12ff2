// SPDX-License-Identifier: GPL-2.0-only
// A file of the host on its way: whatever ends the copy in the middle leaves nothing that
// looks complete, and what the file replaces stays until then.
#pragma once

#include <string>

#include <lkl/result.hpp>

#include "common/doomed_file.hpp"
#include "common/tree/host_file.hpp"

namespace tools {

// One file at a time, in a directory that stays open meanwhile; one thread.
//
// It has another name (".lkl-" and 16 digits) until it is complete. A rename costs a fifth
// of what all else does for a small file, so one whose data are all in memory, which takes
// microseconds and waits for nobody, is made by its name if nothing has that: it is seen
// incomplete if SIGKILL comes in just this time.
class UnfinishedFile {
public:
    // A new file, open for writing. at_once: its data are all there, and it is finished next.
    lkl::Result<HostFile> create(const HostFile& directory, const char* name, unsigned mode,
                                 bool at_once);
    // It has another name: what it is to be called may be there.
    bool hidden() const { return hidden_; }
    // It is complete: gets its name, in the place of what has that now. A directory is not
    // replaced (EISDIR).
    lkl::Result<void> finish(const HostFile& directory, const char* name);
    // It is not to be.
    void remove(const HostFile& directory, const char* name);

private:
    lkl::Result<HostFile> create_hidden(const HostFile& directory, unsigned mode);

    bool hidden_ = false;      // the current one
    std::string hidden_name_;  // is kept for the next one
    DoomedFile doomed_;
};

}  // namespace tools
