// SPDX-License-Identifier: GPL-2.0-only
// What happens in the kernels of a tool, by the kernel's own trace events.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <lkl/file.hpp>
#include <lkl/kernel.hpp>

#include "common/descriptor.hpp"

namespace tools {

// One for all kernels of a tool, one after the other or at once; not for several threads.
class KernelTrace {
public:
    // events: patterns of matching(). buffer: bytes of the kernel's memory; what does not fit
    // pushes the oldest out. output_name: for messages.
    KernelTrace(std::vector<std::string> events, uint64_t buffer, Descriptor output,
                std::string output_name);

    // The kernel image that has trace events: LKL_KERNEL_IMAGE, or the one beside the usual
    // one. Throws ToolError, ExitCode::kernel, when there is none.
    static std::string image();
    // All events of a kernel, sorted. Throws ToolError, ExitCode::kernel.
    static std::vector<std::string> events_of(lkl::Kernel& kernel);
    // Those of the events, SYSTEM:NAME, that a pattern means, in their order: of fnmatch() for
    // both parts, "block:block_rq_*" or "ext4:" with all of a system's; without a colon it is
    // one for the system or for the name, as tracefs takes such a word.
    static std::vector<std::string> matching(const std::vector<std::string>& events,
                                             const std::string& pattern);

    uint64_t buffer() const { return buffer_; }

    // From now on. Throws ToolError: ExitCode::usage for an event that the kernel does not
    // have, ExitCode::kernel when it has none at all, or no memory for the buffer.
    void begin(lkl::Kernel& kernel);
    // Writes what was seen. name: of what the kernel worked on. What goes wrong is for
    // finish().
    void end(lkl::Kernel& kernel, const std::string& name) noexcept;
    // All of it was written, or throws ToolError, ExitCode::output or ExitCode::kernel.
    void finish();

private:
    void write_out(const std::string& text);

    const std::vector<std::string> events_;
    const uint64_t buffer_;
    Descriptor output_;
    const std::string output_name_;
    bool ended_ = false;
    std::string problem_;  // the first one
    bool in_kernel_ = false;
};

}  // namespace tools
