// SPDX-License-Identifier: GPL-2.0-only
#include "packetdrill/host_settings.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/inotify.h>

#include "file/sysctl.hpp"
#include "packetdrill/message.hpp"

namespace packetdrill {

namespace {

constexpr char root[] = "/proc/sys/";
constexpr char congestion_path[] = "/proc/sys/net/ipv4/tcp_congestion_control";

// As write_sysctl() takes it: without the line's end.
std::string value_of(const std::string& path)
{
    std::string value;
    std::getline(std::ifstream(path), value);
    return value;
}

}  // namespace

HostSettings::HostSettings()
    : events_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)), congestion_(value_of(congestion_path))
{
    namespace fs = std::filesystem;
    if (!events_)
        return;
    const std::string network = std::string(root) + "net";
    watch(network);
    std::error_code error;
    for (fs::recursive_directory_iterator at(network, error), end; !error && at != end;
         at.increment(error))
        if (at->is_directory(error))
            watch(at->path());
}

void HostSettings::watch(const std::string& directory)
{
    tools::Descriptor held(::open(directory.c_str(), O_PATH | O_CLOEXEC));
    const int number = ::inotify_add_watch(events_.get(), directory.c_str(), IN_MODIFY);
    if (held && number >= 0)
        directories_[number] = {directory, std::move(held)};
}

// Each once, in the order of their first writing.
std::vector<std::string> HostSettings::written()
{
    std::vector<std::string> paths;
    alignas(inotify_event) char buffer[8192];
    for (ssize_t size; (size = ::read(events_.get(), buffer, sizeof buffer)) > 0;)
        for (const char* at = buffer; at < buffer + size;) {
            const auto* const event = reinterpret_cast<const inotify_event*>(at);
            at += sizeof *event + event->len;
            const auto directory = directories_.find(event->wd);
            if (directory == directories_.end() || event->len == 0)
                continue;
            const std::string path = directory->second.path + '/' + event->name;
            if (std::find(paths.begin(), paths.end(), path) == paths.end())
                paths.push_back(path);
        }
    return paths;
}

void HostSettings::apply(lkl::Kernel& kernel)
{
    const std::lock_guard lock(mutex_);
    for (const std::string& path : written()) {
        const std::string value = value_of(path);
        if (path == congestion_path && std::exchange(congestion_, value) == value)
            continue;
        const auto done = lkl::file::write_sysctl(kernel, path.substr(std::strlen(root)), value);
        if (!done)
            message(done.error().what);
    }
}

}  // namespace packetdrill
