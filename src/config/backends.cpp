// SPDX-License-Identifier: GPL-2.0-only
#include "config/backends.hpp"

#include <cerrno>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "config/device_types.hpp"

namespace lkl::config {

namespace {

using Backend = lkl::Result<std::unique_ptr<lkl::NetBackend>>;

// passt is no program of the run: its sockets are the host's.
std::vector<std::string> environment_of_the_host()
{
    std::vector<std::string> variables;
    for (char** variable = environ; *variable; variable++) {
        const std::string_view text = *variable;
        if (!text.starts_with("LD_PRELOAD=") && !text.starts_with("LKL_RUN_"))
            variables.emplace_back(text);
    }
    return variables;
}

Backend open_pipes(const std::string& parameter)
{
    const auto paths = parse_pipes(parameter);
    return paths ? lkl::open_net_fifos(paths->first, paths->second) : Backend(paths.error());
}

Backend open_socket(const std::string& parameter)
{
    const auto number = parse_descriptor(parameter);
    return number ? lkl::open_net_socket(*number) : Backend(number.error());
}

Backend open_passt(const std::string& parameter)
{
    auto options = parse_passt(parameter);
    options.environment = environment_of_the_host();
    return lkl::open_passt(options);
}

Backend open_slirp(const std::string& parameter)
{
    const auto options = parse_slirp(parameter);
    return options ? lkl::open_slirp(*options) : Backend(options.error());
}

struct Opener {
    std::string_view type;
    Backend (*open)(const std::string& parameter);
    Backend (*adopt)(int descriptor) = nullptr;
};
constexpr Opener openers[] = {
    {"none", [](const std::string&) { return Backend(std::unique_ptr<lkl::NetBackend>()); }},
    {"tap", [](const std::string& name) { return lkl::open_tap(name); }, lkl::open_tap},
    {"macvtap", lkl::open_macvtap, lkl::open_macvtap},
    {"raw", lkl::open_raw, lkl::open_raw},
    {"pipe", open_pipes},
    {"socket", open_socket},
    {"vde", lkl::open_vde},
    {"passt", open_passt},
    {"slirp", open_slirp},
};

// What came while nobody read it is of another program's connections, or of none. As much as
// is there: on a busy interface something comes all the time.
void drop_packets(int descriptor)
{
    constexpr int most = 10'000;
    char packet[1];  // the rest is dropped
    for (int i = 0; i<most&& ::read(descriptor, packet, sizeof packet)> 0; i++)
        ;
}

// Of the device that is open already, unless the program has closed that.
Backend adopt(const Opener& opener, const std::string& number)
{
    const auto descriptor = parse_descriptor(number);
    if (!descriptor || !opener.adopt)
        return lkl::Error{EINVAL, "no descriptor"};
    auto backend = opener.adopt(*descriptor);
    if (backend)
        drop_packets(*descriptor);
    return backend;
}

}  // namespace

Backend open_backend(const Interface& interface)
{
    for (const Opener& opener : openers) {
        if (opener.type != interface.type)
            continue;
        if (auto open = adopt(opener, interface.descriptor))
            return open;
        return opener.open(interface.parameter);
    }
    return lkl::Error{ENOSYS, "net " + interface.type + ": not built in"};
}

int duplicate_device(const Interface& interface, int least)
{
    for (const Opener& opener : openers) {
        if (opener.type != interface.type || !opener.adopt)
            continue;
        const auto backend = opener.open(interface.parameter);
        return backend ? ::fcntl((*backend)->poll_fd(0), F_DUPFD, least) : -1;
    }
    return -1;
}

}  // namespace lkl::config
