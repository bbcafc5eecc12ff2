// SPDX-License-Identifier: GPL-2.0-only
// Rights of root (capabilities(7)), of which a tool keeps what its work takes.
#pragma once

#include <cstdint>

namespace tools {

class Capabilities {
public:
    // To read all files and attributes.
    void add_readers();
    // To make all kinds of files but devices, with all owners, modes and attributes.
    void add_writers();
    // To make device nodes.
    void add_device_makers();
    // To rename and remove files in directories of other users.
    void add_renamers();

    uint64_t bits() const { return bits_; }

private:
    uint64_t bits_ = 0;  // 1 << CAP_...
};

// Of the capabilities that the calling thread has, it keeps these alone, and cannot get
// others back. Throws ToolError, ExitCode::internal.
void keep_capabilities(const Capabilities& kept);

}  // namespace tools
