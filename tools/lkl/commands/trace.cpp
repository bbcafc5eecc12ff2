// SPDX-License-Identifier: GPL-2.0-only
// lkl trace: another subcommand, and what its kernel does meanwhile.
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <lkl/kernel.hpp>

#include "common/kernel_trace.hpp"
#include "common/report.hpp"
#include "lkl/command.hpp"
#include "lkl/dispatch.hpp"

namespace tools::lkl_tool {

namespace {

class Trace final : public Command {
public:
    explicit Trace(CLI::App& parent)
        : command_(parent, "trace", "Run another subcommand and show what its kernel does")
    {
        command_.take_rest();
        command_.list("-e,--event", events_, "EVENT",
                      "What is to be seen: SYSTEM:NAME, where both may be patterns; "
                      "several times");
        command_.option("-o,--output", output_, "FILE",
                        "Where the trace goes; standard error if not given");
        command_.option("-b,--buffer", buffer_kib_, 4, "KIB",
                        "Memory for events that are not written yet, 4096 KiB if not given");
        command_.flag("-l,--list", list_, "Print the events that there are, or those of -e");
        command_.notes(
            "Examples:\n"
            "  lkl trace -e 'ext4:*' -e 'block:block_rq_*' -- cat disk.img:/etc/fstab\n"
            "  lkl trace --list -e 'jbd2:*'");
    }

    void run() override
    {
        const std::vector<std::string> words = command_.rest();
        if (options().image.partition || !options().image.type.empty())
            throw ToolError(ExitCode::usage, "trace: -P and -t belong behind the command");
        if (list_) {
            if (!words.empty())
                throw ToolError(ExitCode::usage, "trace: --list runs nothing");
            return list();
        }
        if (words.empty())
            throw ToolError(ExitCode::usage, "trace: what is to be run is missing");
        if (words.front() == "run")
            throw ToolError(ExitCode::usage,
                            "trace: the kernel of \"run\" is the program's; its --boot "
                            "\"trace_event=... tp_printk\" and --kernel-log show events");
        if (events_.empty())
            throw ToolError(ExitCode::usage, "trace: name what is to be seen by -e");
        const auto trace =
            std::make_shared<KernelTrace>(events_, buffer_kib_ << 10, open_output(),
                                          output_.empty() ? "standard error" : output_);
        dispatch(words, trace);
        trace->finish();
    }

private:
    Descriptor open_output() const
    {
        Descriptor file(output_.empty() ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)
                                        : open(output_.c_str(),
                                               O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
        if (!file)
            throw ToolError(ExitCode::output,
                            "trace: " + escaped(output_) + ": " + std::strerror(errno));
        return file;
    }

    void list() const
    {
        lkl::KernelOptions kernel_options;
        kernel_options.image = KernelTrace::image();
        auto kernel = lkl::Kernel::start(kernel_options);
        if (!kernel)
            throw ToolError(ExitCode::kernel, "cannot start the kernel: " + kernel.error().what);
        const std::vector<std::string> all = KernelTrace::events_of(*kernel);
        std::set<std::string> wanted;
        for (const std::string& pattern :
             events_.empty() ? std::vector<std::string>{"*"} : events_) {
            const std::vector<std::string> found = KernelTrace::matching(all, pattern);
            if (found.empty())
                throw ToolError(ExitCode::usage, "trace: " + escaped(pattern) + ": no such event");
            wanted.insert(found.begin(), found.end());
        }
        for (const std::string& event : wanted)
            std::cout << event << '\n';
        if (!std::cout.flush())
            throw ToolError(ExitCode::output, "standard output: cannot be written");
    }

    Subcommand command_;
    std::vector<std::string> events_;
    std::string output_;
    uint64_t buffer_kib_ = 4096;
    bool list_ = false;
};

}  // namespace

std::unique_ptr<Command> add_trace(CLI::App& parent)
{
    return std::make_unique<Trace>(parent);
}

}  // namespace tools::lkl_tool
