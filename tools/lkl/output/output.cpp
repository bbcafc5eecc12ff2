// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/output/output.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <sys/ioctl.h>
#include <unistd.h>

namespace tools::lkl_tool {

namespace {

volatile std::sig_atomic_t interrupted = 0;

void write_all(const char* data, size_t size)
{
    while (size > 0) {
        const ssize_t written = ::write(STDOUT_FILENO, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            throw OutputError(std::string("standard output: cannot write: ") +
                              std::strerror(errno));
        data += written;
        size -= static_cast<size_t>(written);
    }
}

}  // namespace

Output::Output() : terminal_(isatty(STDOUT_FILENO) == 1) {}

void Output::interrupt()
{
    interrupted = 1;
}

void Output::forget_interrupt()
{
    interrupted = 0;
}

void Output::throw_if_interrupted()
{
    if (interrupted != 0)
        throw OutputError("interrupted");
}

void Output::write(std::string_view text)
{
    throw_if_interrupted();
    buffer_ += text;
    if (buffer_.size() >= limit)
        flush();
}

void Output::write(std::span<const std::byte> bytes)
{
    throw_if_interrupted();
    if (buffer_.size() + bytes.size() < limit) {
        buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        return;
    }
    flush();
    write_all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void Output::flush()
{
    // What cannot be written is not tried again.
    std::string text;
    text.swap(buffer_);
    write_all(text.data(), text.size());
    text.clear();
    buffer_.swap(text);
}

unsigned Output::width() const
{
    constexpr unsigned usual = 80;
    winsize size{};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : usual;
}

bool Output::coloured() const
{
    const char* const no_colour = std::getenv("NO_COLOR");
    const char* const kind = std::getenv("TERM");
    return terminal_ && (no_colour == nullptr || *no_colour == '\0') &&
           (kind == nullptr || std::string_view(kind) != "dumb");
}

std::string Output::name(std::string_view bytes) const
{
    return terminal_ ? escaped(bytes) : std::string(bytes);
}

}  // namespace tools::lkl_tool
