// SPDX-License-Identifier: GPL-2.0-only
#include "common/kernel_trace.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include <fnmatch.h>
#include <unistd.h>

#include <lkl/linux/fcntl.h>
#include <lkl/mount.hpp>

#include "common/report.hpp"

namespace tools {

namespace {

const std::string directory = "/trace";

void mount_tracefs(lkl::Kernel& kernel)
{
    auto mount = lkl::Mount::special(kernel, "tracefs", directory.c_str());
    if (!mount)
        throw ToolError(ExitCode::kernel,
                        mount.error().code == ENODEV
                            ? "trace: this kernel has no trace events: its image has to be one of "
                              "trace_defconfig"
                            : "trace: " + mount.error().what);
    mount->release();
}

lkl::Result<std::string> read_file(lkl::Kernel& kernel, const char* name)
{
    const auto file = lkl::File::open(kernel, (directory + '/' + name).c_str(), LKL_O_RDONLY);
    if (!file)
        return file.error();
    std::string text;
    std::array<std::byte, 65536> part;
    for (;;) {
        const auto size = file->read(part);
        if (!size)
            return size.error();
        if (*size == 0)
            return text;
        text.append(reinterpret_cast<const char*>(part.data()), *size);
    }
}

lkl::Result<void> write_file(lkl::Kernel& kernel, const char* name, const std::string& text)
{
    const auto file =
        lkl::File::open(kernel, (directory + '/' + name).c_str(), LKL_O_WRONLY | LKL_O_APPEND);
    if (!file)
        return file.error();
    const auto written = file->write(std::as_bytes(std::span(text)));
    if (!written)
        return written.error();
    return {};
}

// "# entries-in-buffer/entries-written: 12/34   #P:1" of the trace's head.
uint64_t lost_events(std::string_view trace)
{
    constexpr std::string_view mark = "entries-in-buffer/entries-written: ";
    const size_t at = trace.find(mark);
    if (at == std::string_view::npos)
        return 0;
    const char* const end = trace.data() + trace.size();
    uint64_t kept = 0;
    uint64_t written = 0;
    const auto first = std::from_chars(trace.data() + at + mark.size(), end, kept);
    if (first.ptr == end || *first.ptr != '/')
        return 0;
    std::from_chars(first.ptr + 1, end, written);
    return written > kept ? written - kept : 0;
}

}  // namespace

KernelTrace::KernelTrace(std::vector<std::string> events, uint64_t buffer, Descriptor output,
                         std::string output_name)
    : events_(std::move(events)),
      buffer_(buffer),
      output_(std::move(output)),
      output_name_(std::move(output_name))
{
}

std::string KernelTrace::image()
{
    const char* const named = ::secure_getenv("LKL_KERNEL_IMAGE");
    std::string path = lkl::default_kernel_image();
    if (named && *named)
        return path;
    path += "-trace";
    if (::access(path.c_str(), R_OK) != 0)
        throw ToolError(ExitCode::kernel, "the kernel image for traces, " + escaped(path) + ": " +
                                              std::strerror(errno) +
                                              " (make kernel-trace builds it)");
    return path;
}

std::vector<std::string> KernelTrace::events_of(lkl::Kernel& kernel)
{
    mount_tracefs(kernel);
    const auto text = read_file(kernel, "available_events");
    if (!text)
        throw ToolError(ExitCode::kernel, "trace: " + text.error().what);
    std::vector<std::string> events;
    for (size_t at = 0, end = 0; (end = text->find('\n', at)) != std::string::npos; at = end + 1)
        events.push_back(text->substr(at, end - at));
    std::sort(events.begin(), events.end());
    return events;
}

std::vector<std::string> KernelTrace::matching(const std::vector<std::string>& events,
                                               const std::string& pattern)
{
    const auto is = [](const std::string& wanted, const std::string& word) {
        return fnmatch(wanted.c_str(), word.c_str(), 0) == 0;
    };
    const size_t colon = pattern.find(':');
    const std::string first = pattern.substr(0, colon);
    const std::string second = colon == std::string::npos ? "" : pattern.substr(colon + 1);
    std::vector<std::string> found;
    for (const std::string& event : events) {
        const size_t end = event.find(':');
        const std::string system = event.substr(0, end);
        const std::string name = event.substr(end + 1);
        const bool wanted = colon == std::string::npos ? is(first, system) || is(first, name)
                                                       : (first.empty() || is(first, system)) &&
                                                             (second.empty() || is(second, name));
        if (wanted)
            found.push_back(event);
    }
    return found;
}

void KernelTrace::begin(lkl::Kernel& kernel)
{
    const std::vector<std::string> all = events_of(kernel);
    if (const auto set = write_file(kernel, "buffer_size_kb", std::to_string(buffer_ >> 10)); !set)
        throw ToolError(ExitCode::kernel, "trace: a buffer of " + std::to_string(buffer_ >> 10) +
                                              " KiB: " + set.error().what);
    for (const std::string& pattern : events_) {
        // tracefs itself knows one name, or all of a system.
        const std::vector<std::string> found = matching(all, pattern);
        if (found.empty())
            throw ToolError(ExitCode::usage, "trace: " + escaped(pattern) + ": no such event");
        for (const std::string& event : found) {
            if (const auto set = write_file(kernel, "set_event", event); !set)
                throw ToolError(ExitCode::kernel,
                                "trace: " + escaped(event) + ": " + set.error().what);
        }
    }
}

void KernelTrace::end(lkl::Kernel& kernel, const std::string& name) noexcept
{
    ended_ = true;
    (void)write_file(kernel, "tracing_on", "0");
    const auto text = read_file(kernel, "trace");
    if (!text) {
        // A crash is told elsewhere, and more loudly.
        if (problem_.empty()) {
            problem_ = "trace of " + escaped(name) + ": " + text.error().what;
            in_kernel_ = true;
        }
        return;
    }
    if (const uint64_t lost = lost_events(*text))
        report("trace of " + escaped(name) + ": the first " + std::to_string(lost) +
               " events did not fit, see --buffer");
    write_out("# image: " + escaped(name) + "\n" + *text);
}

void KernelTrace::write_out(const std::string& text)
{
    for (size_t done = 0; done < text.size();) {
        const ssize_t n = ::write(output_.get(), text.data() + done, text.size() - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            if (problem_.empty())
                problem_ = escaped(output_name_) + ": " + std::strerror(errno);
            return;
        }
        done += static_cast<size_t>(n);
    }
}

void KernelTrace::finish()
{
    if (problem_.empty() && !ended_) {
        problem_ = "trace: the command started no kernel";
        in_kernel_ = true;
    }
    if (!problem_.empty())
        throw ToolError(in_kernel_ ? ExitCode::kernel : ExitCode::output, problem_);
    if (output_.close() != 0)
        throw ToolError(ExitCode::output, escaped(output_name_) + ": " + std::strerror(errno));
}

}  // namespace tools
