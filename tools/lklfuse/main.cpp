// SPDX-License-Identifier: GPL-2.0-only
// lklfuse: the file system of a disk image, mounted through FUSE.
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

#include "common/mounted_image.hpp"
#include "common/report.hpp"
#include "common/sandbox/sandbox.hpp"
#include "common/tool.hpp"
#include "lklfuse/background.hpp"
#include "lklfuse/file_system.hpp"
#include "lklfuse/fuse_log_text.hpp"
#include "lklfuse/lock_file.hpp"
#include "lklfuse/messages.hpp"
#include "lklfuse/mounter.hpp"
#include "lklfuse/options.hpp"
#include "lklfuse/session.hpp"
#include "lklfuse/stopper.hpp"

namespace tools::lklfuse {

namespace {

// Where files have no owner, they belong to whoever mounts, as for mount(8).
std::string owner_option(std::string_view type)
{
    for (const std::string_view one : {"vfat", "msdos", "exfat", "ntfs3", "hfs", "hfsplus"}) {
        if (type == one && geteuid() != 0)
            return "uid=" + std::to_string(geteuid()) + ",gid=" + std::to_string(getegid());
    }
    return {};
}

SandboxRules sandbox_rules(const Options& options)
{
    SandboxRules rules;
    rules.off = !options.image.sandbox;
    rules.serve_fuse = true;
    rules.clone_fuse = options.clone_fd;
    return rules;
}

void serve(Options& options, MountedImage& image, Mounter& mounter, Background& background,
           const LogFile& log)
{
    FileSystem fs(image, options.image, [&options](const std::string& kernel_log) {
        tell(escaped(options.image.path) +
             ": the kernel crashed: " + escaped(panic_reason(kernel_log)));
    });
    Session session(options, fs, mounter);
    background.detach(log.descriptor());
    session.run();
}

void run(Options& options)
{
    Background background(!options.foreground);
    Mounter mounter(options);
    const LogFile log(options.log_file);
    const Descriptor lock = take_lock(options.lock_file);
    options.image.last_words = tell;
    options.image.log = [&log](std::string_view text) { log.add(text); };
    OpenedImage opened = open_for_mount(options.image);
    if (!options.foreground)
        open_system_log();
    enter_sandbox(sandbox_rules(options));
    const ImageChoice choice = choose_file_system(options.image, std::move(opened));
    if (const std::string owner = owner_option(choice.type); !owner.empty())
        options.image.options = owner + ',' + options.image.options;
    block_signals();
    MountedImage image(options.image, choice);
    if (image.journal_replayed() && !options.quiet)
        tell(escaped(options.image.path) +
             ": its journal was replayed in memory; the image is unchanged");
    try {
        serve(options, image, mounter, background, log);
    } catch (const ToolError&) {
        // Whatever ended the session, what was written gets to the image.
        image.unmount();
        throw;
    }
    image.unmount();
}

}  // namespace

}  // namespace tools::lklfuse

int main(int argc, char** argv)
{
    using tools::ExitCode;
    using tools::ToolError;
    tools::occupy_standard_descriptors();
    tools::set_tool_name("lklfuse");
    tools::lklfuse::catch_fuse_log(false);
    try {
        tools::close_inherited_descriptors(std::vector<std::string>(argv, argv + argc));
        tools::lklfuse::Options options;
        if (tools::lklfuse::parse_command_line(argc, argv, options)) {
            tools::lklfuse::catch_fuse_log(options.debug);
            tools::lklfuse::run(options);
        }
        return static_cast<int>(ExitCode::ok);
    } catch (const ToolError& error) {
        tools::lklfuse::tell(error.what());
        return static_cast<int>(error.code());
    } catch (const std::bad_alloc&) {
        tools::lklfuse::tell("out of memory");
    } catch (const std::exception& error) {
        tools::lklfuse::tell(error.what());
    }
    return static_cast<int>(ExitCode::internal);
}
