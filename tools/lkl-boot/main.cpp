// SPDX-License-Identifier: GPL-2.0-only
// lkl-boot: starts a kernel image, shows its log, and halts it. For those who change
// the kernel: its own tests run while it boots.
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <unistd.h>

#include <lkl/asm/unistd.h>
#include <lkl/kernel.hpp>

#include "common/command_line.hpp"
#include "common/exit_codes.hpp"
#include "common/report.hpp"
#include "common/tool.hpp"

namespace tools::lkl_boot {

namespace {

using namespace std::chrono_literals;

struct Options {
    lkl::KernelOptions kernel;
    unsigned seconds = 0;
};

std::optional<Options> parse_command_line(int argc, char** argv)
{
    Options options;
    uint64_t memory = 256;
    CommandLine line("Start a kernel image, show its log on standard output, and halt it.",
                     "lkl-boot");
    line.app().add_option("KERNEL", options.kernel.image,
                          "Kernel image; the one that comes with the library if absent");
    line.app()
        .add_option("-m,--memory", memory, "Memory of the kernel, in MiB")
        ->option_text("MIB (256)")
        ->check(CLI::Range(16, 1 << 20));
    line.app()
        .add_option("-a,--append", options.kernel.command_line, "Kernel command line")
        ->option_text("TEXT");
    line.app()
        .add_option("--seconds", options.seconds,
                    "Let it run so long, unless it ends before; 0: until it has booted")
        ->option_text("N (0)");
    if (!line.parse(argc, argv))
        return std::nullopt;
    options.kernel.memory = memory << 20;
    // What faults is reported with the kernel's own trace.
    options.kernel.fault_handler = true;
    return options;
}

// What the log could not be written to counts at the end: the kernel calls this.
class Output {
public:
    void write(std::string_view text)
    {
        while (!text.empty() && error_ == 0) {
            const ssize_t n = ::write(STDOUT_FILENO, text.data(), text.size());
            if (n >= 0)
                text.remove_prefix(static_cast<size_t>(n));
            else if (errno != EINTR)
                error_ = errno;
        }
    }

    void check() const
    {
        if (error_ != 0)
            throw ToolError(ExitCode::output,
                            std::string("standard output: ") + std::strerror(error_));
    }

private:
    int error_ = 0;
};

// True when the kernel has ended by itself, as tests of it ask for by kunit_shutdown=.
bool has_ended(lkl::Kernel& kernel)
{
    return kernel.syscall(__lkl__NR_getppid) < 0;
}

void run(Options options)
{
    Output output;
    options.kernel.log = [&output](std::string_view text) { output.write(text); };
    auto kernel = lkl::Kernel::start(options.kernel);
    if (!kernel) {
        output.check();
        if (kernel.error().code == ESHUTDOWN)
            return;
        throw ToolError(ExitCode::kernel, kernel.error().what);
    }
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options.seconds);
    while (std::chrono::steady_clock::now() < end && !has_ended(*kernel))
        std::this_thread::sleep_for(100ms);
    const std::string panic = kernel->panic_message();
    const bool ended = has_ended(*kernel);
    if (panic.empty() && !ended) {
        if (auto halted = kernel->halt(); !halted)
            throw ToolError(ExitCode::kernel, halted.error().what);
    }
    output.check();
    if (!panic.empty())
        throw ToolError(ExitCode::kernel, "the kernel crashed: " + panic);
}

}  // namespace

}  // namespace tools::lkl_boot

int main(int argc, char** argv)
{
    return tools::run_tool("lkl-boot", argc, argv, [argc, argv] {
        auto options = tools::lkl_boot::parse_command_line(argc, argv);
        if (options)
            tools::lkl_boot::run(std::move(*options));
    });
}
