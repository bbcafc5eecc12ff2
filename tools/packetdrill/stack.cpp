// SPDX-License-Identifier: GPL-2.0-only
#include "packetdrill/stack.hpp"

#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>

#include <lkl/asm/unistd.h>

#include "file/error.hpp"
#include "file/sysctl.hpp"
#include "packetdrill/message.hpp"

namespace packetdrill {

namespace {

using lkl::Result;

Result<void> mount_proc(lkl::Kernel& kernel)
{
    kernel.syscall(__lkl__NR_mkdirat, LKL_AT_FDCWD, "/proc", 0755);
    const long mounted = kernel.syscall(__lkl__NR_mount, "proc", "/proc", "proc", 0, nullptr);
    if (mounted < 0)
        return lkl::file::call_error(mounted, "mount", "proc");
    return {};
}

Result<tools::Descriptor> open_log(const std::string& path)
{
    tools::Descriptor log;
    if (!path.empty())
        log = tools::Descriptor(
            ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    if (!path.empty() && !log)
        return lkl::file::call_error(-errno, "open", path);
    return log;
}

void write_line(int fd, std::string_view line)
{
    std::string text(line);
    if (!text.ends_with('\n'))
        text += '\n';
    // A log that cannot be written does not end a test.
    [[maybe_unused]] const ssize_t written = ::write(fd, text.data(), text.size());
}

}  // namespace

Stack::Stack(std::string_view flags)
{
    if (const auto started = start(flags); !started) {
        message("no network: " + started.error().what);
        queues_.reset();
        settings_.reset();
        tunnel_.reset();
        kernel_.reset();
    }
}

Result<void> Stack::start(std::string_view text)
{
    const auto flags = parse_flags(text);
    if (!flags)
        return flags.error();
    auto log = open_log(flags->log);
    if (!log)
        return log.error();
    log_ = *std::move(log);
    lkl::KernelOptions options;
    options.memory = flags->memory;
    if (log_)
        options.log = [fd = log_.get()](std::string_view line) { write_line(fd, line); };
    auto kernel = lkl::Kernel::start(options);
    if (!kernel)
        return kernel.error();
    kernel_.emplace(*std::move(kernel));
    if (auto mounted = mount_proc(*kernel_); !mounted)
        return mounted;
    auto tunnel = Tunnel::make(*kernel_, *flags);
    if (!tunnel)
        return tunnel.error();
    tunnel_.emplace(*std::move(tunnel));
    for (const auto& [name, value] : flags->sysctls)
        if (auto set = lkl::file::write_sysctl(*kernel_, name, value); !set)
            return set;
    if (flags->follow_host) {
        settings_.emplace();
        queues_.emplace();
    }
    return {};
}

lkl::Kernel* Stack::ready()
{
    if (!kernel_)
        return nullptr;
    if (settings_)
        settings_->apply(*kernel_);
    if (queues_)
        queues_->apply(*kernel_);
    return &*kernel_;
}

long Stack::pin(std::span<const std::byte> data)
{
    const long area = call(__lkl__NR_mmap, nullptr, data.size(), PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area > 0)
        std::memcpy(reinterpret_cast<void*>(area), data.data(), data.size());
    return area;
}

long Stack::send(std::span<const std::byte> packet)
{
    return ready() ? tunnel_->send(packet) : -LKL_ENETDOWN;
}

long Stack::receive(std::span<std::byte> room, long long& microseconds)
{
    return ready() ? tunnel_->receive(room, microseconds) : -LKL_ENETDOWN;
}

}  // namespace packetdrill
