// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/run/launch.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/report.hpp"
#include "common/tool.hpp"
#include "config/backends.hpp"

namespace tools::run {

namespace {

// Beside the tool, as it was built and as it is installed.
std::string preload_library()
{
    std::error_code error;
    const auto here = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
    for (const char* directory : {"../lib", LKL_LIBDIR_OF_BIN}) {
        const auto path = here / directory / "liblkl-hijack.so";
        if (access(path.c_str(), R_OK) == 0)
            return std::filesystem::canonical(path, error);
    }
    throw ToolError(ExitCode::internal, "run: liblkl-hijack.so is not beside this program");
}

// Each program of the run that has the network adds its packets.
void make_empty(const std::string& path)
{
    if (path.empty())
        return;
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0)
        throw ToolError(ExitCode::output, "run: " + escaped(path) + ": " + std::strerror(errno));
    close(file);
}

// The host's program of that name would be started in the place of the image's.
void refuse_program_of_image(const std::string& path,
                             const lkl::config::Configuration& configuration)
{
    const std::string full = std::filesystem::absolute(path).lexically_normal();
    for (const std::string& image : configuration.images) {
        std::string directory = image.substr(image.rfind(':') + 1);
        if (!directory.ends_with('/'))
            directory += '/';
        if (full.starts_with(directory))
            throw ToolError(ExitCode::usage,
                            "run: " + escaped(path) + ": no program of an image can be started");
    }
}

// Files of an image are reached by system calls of all kinds, also those past libc. Inside
// of another run the library has refused already what cannot be.
void need_dispatch(const lkl::config::Configuration& configuration)
{
    if (configuration.images.empty() || std::getenv("LKL_RUN_ID") ||
        prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0) == 0)
        return;
    throw ToolError(ExitCode::usage,
                    "run: --mount needs a host that hands system calls over, as Linux 5.11 does");
}

// The devices are opened with our rights: the program, or one that it starts, may have given
// its own up when it first uses the network. High numbers are out of its way.
void open_devices(lkl::config::Configuration& configuration)
{
    rlimit room{};
    getrlimit(RLIMIT_NOFILE, &room);
    const auto most = static_cast<int>(std::min<rlim_t>(room.rlim_cur, 1024));
    const auto count = static_cast<int>(configuration.interfaces.size());
    for (lkl::config::Interface& one : configuration.interfaces) {
        const int descriptor = lkl::config::duplicate_device(one, std::max(most - count, most / 2));
        one.descriptor = descriptor < 0 ? "" : std::to_string(descriptor);
    }
}

}  // namespace

void launch(const std::string& path, const std::vector<std::string>& words,
            lkl::config::Configuration configuration)
{
    refuse_program_of_image(path, configuration);
    need_dispatch(configuration);
    std::string preload = preload_library();
    make_empty(configuration.pcap);
    // The loader splits it there.
    if (preload.find_first_of(" :") != std::string::npos)
        throw ToolError(ExitCode::internal, "run: " + escaped(preload) +
                                                ": no path with a blank or a colon can be "
                                                "laid under a program");
    if (const char* const others = std::getenv("LD_PRELOAD"); others && *others)
        preload += ":" + std::string(others);
    setenv("LD_PRELOAD", preload.c_str(), 1);
    open_devices(configuration);
    const std::string handed_over =
        lkl::config::to_json(configuration, lkl::config::Origin::launcher);
    setenv("LKL_RUN_CONFIG", handed_over.c_str(), 1);
    setenv("LKL_RUN_ID", lkl::config::make_run_id().c_str(), 1);
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (const std::string& word : words)
        arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    restore_signals();
    execv(path.c_str(), arguments.data());
    throw ToolError(ExitCode::path, "run: " + escaped(path) + ": " + std::strerror(errno));
}

}  // namespace tools::run
