// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/files/routes.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>

#include "config/device_types.hpp"
#include "config/lists.hpp"
#include "hijack/files/images.hpp"
#include "hijack/network/leases.hpp"
#include "hijack/network/proc.hpp"
#include "hijack/preload/descriptors.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/settings.hpp"
#include "hijack/preload/stack.hpp"

namespace hijack::routes {

namespace {

struct Route {
    std::string directory;  // of the program
    std::string target;     // of our kernel
};

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> network_files{{
    {"/proc/net", "/proc/net"},
    {"/proc/sys/net", "/proc/sys/net"},
    {"/sys/class/net", "/sysfs/class/net"},
    // Where links in there lead to.
    {"/sys/devices/virtual/net", "/sysfs/devices/virtual/net"},
}};

constexpr std::string_view sys = "/sys";
// The same for our devices: of "virtio-mmio.N.auto", a name that no host's device has.
constexpr std::string_view devices = "/sys/devices/platform/virtio-mmio.";
constexpr std::string_view devices_end = ".auto";

// Of our kernel; no route leads there.
constexpr std::string_view open_files = "/proc/self/fd/";

// Null until prepare(). Constant from then on.
const std::vector<Route>* all = nullptr;

bool is_below(std::string_view path, std::string_view directory)
{
    return path.starts_with(directory) &&
           (path.size() == directory.size() || path[directory.size()] == '/');
}

std::string link_target(const std::string& path)
{
    char text[4096];
    const long n = host::call(SYS_readlinkat, AT_FDCWD, path.c_str(), text, sizeof text);
    return n > 0 ? std::string(text, static_cast<size_t>(n)) : std::string();
}

// Without "." and "..", which may not lead out of "/".
std::string normal(const std::string& path)
{
    std::vector<std::string> parts;
    for (std::string& part : split(path, '/')) {
        if (part == "..") {
            if (!parts.empty())
                parts.pop_back();
        } else if (part != ".") {
            parts.push_back(std::move(part));
        }
    }
    std::string result;
    for (const std::string& part : parts)
        result += "/" + part;
    return result.empty() ? "/" : result;
}

bool is_number(std::string_view text)
{
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The number that all of the text is, or -1.
int number_of(std::string_view text)
{
    int number = -1;
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, number);
    return is_number(text) && error == std::errc() && end == last ? number : -1;
}

// What the path has behind the directory of a process in /proc, or of one of its threads; or
// empty. `is_one` says of a number whether it is one that is meant.
template <typename Predicate>
std::string_view behind_process(std::string_view path, Predicate is_one)
{
    constexpr std::string_view proc = "/proc/";
    if (!path.starts_with(proc))
        return {};
    path.remove_prefix(proc.size());
    const auto skip = [&path](auto is_meant) {
        const std::string_view name = path.substr(0, path.find('/'));
        if (name.size() == path.size() || !is_meant(name))
            return false;
        path.remove_prefix(name.size() + 1);
        return true;
    };
    if (!skip([&](auto name) { return name == "self" || name == "thread-self" || is_one(name); }))
        return {};
    if (skip([](auto name) { return name == "task"; }) && !skip(is_one))
        return {};
    return path;
}

// /proc/net by any of its names.
std::string without_process(const std::string& path)
{
    const std::string_view rest = behind_process(path, is_number);
    return is_below(rest, "net") ? "/proc/" + std::string(rest) : path;
}

bool is_device(std::string_view path)
{
    if (!path.starts_with(devices))
        return false;
    const std::string_view name = path.substr(0, path.find('/', devices.size()));
    return name.ends_with(devices_end);
}

// The number that the name of an open file has in it, such as /dev/fd/5; or -1.
int named_number(std::string_view path)
{
    if (!path.starts_with("/dev/") && !path.starts_with("/proc/"))
        return -1;
    for (const auto& [name, number] :
         {std::pair{"/dev/stdin", 0}, std::pair{"/dev/stdout", 1}, std::pair{"/dev/stderr", 2}})
        if (path == name)
            return number;
    const auto names_us = [](std::string_view thread) {
        return host::call(SYS_tgkill, host::call(SYS_getpid), number_of(thread), 0) == 0;
    };
    std::string_view rest = behind_process(path, names_us);
    if (constexpr std::string_view directory = "/dev/"; path.starts_with(directory))
        rest = path.substr(directory.size());
    constexpr std::string_view files = "fd/";
    return rest.starts_with(files) ? number_of(rest.substr(files.size())) : -1;
}

// What stands for a descriptor of ours on the host must not be opened in its place.
std::optional<std::string> open_file(std::string_view path)
{
    const int number = named_number(path);
    const descriptors::Entry entry = number < 0 ? 0 : descriptors::entry(number);
    if (entry == 0 || (entry & (descriptors::epoll_bit | descriptors::internal_bit)))
        return {};
    return std::string(open_files) + std::to_string(descriptors::ours(number));
}

std::string full_path(long dirfd, const char* path)
{
    if (*path == '/')
        return normal(path);
    const auto number = static_cast<int>(dirfd);
    const std::string base = number == AT_FDCWD
                                 ? link_target("/proc/self/cwd")
                                 : link_target("/proc/self/fd/" + std::to_string(number));
    return base.empty() ? std::string() : normal(base + "/" + path);
}

// Whether the path must be looked at closely. Allocates nothing: an allocator may be the
// one who opens a file, with its locks held.
bool may_be_ours(std::string_view path)
{
    if (path[0] != '/' || path.find("/.") != path.npos || path.find("//") != path.npos)
        return true;
    for (const Route& route : *all)
        if (is_below(path, route.directory))
            return true;
    return (path.starts_with("/proc/") &&
            (path.find("/net") != path.npos || path.find("/fd/") != path.npos)) ||
           path.starts_with("/dev/fd/") || path.starts_with("/dev/std") ||
           path.starts_with(devices);
}

// Empty: the host's file holds.
std::string resolv_conf()
{
    const Configuration* const configuration = settings::configuration();
    if (!configuration)
        return {};
    std::string text;
    for (const std::string& server : split(configuration->nameserver, ','))
        text += "nameserver " + server + "\n";
    const std::vector<Interface>& interfaces = configuration->interfaces;
    if (text.empty() && std::any_of(interfaces.begin(), interfaces.end(), wants_dhcp) &&
        stack::start() == 0)
        text = network::lease_resolv_conf();
    return text;
}

}  // namespace

void prepare()
{
    auto* const routes = new std::vector<Route>;
    for (const auto& [directory, target] : network_files)
        routes->push_back({std::string(directory), std::string(target)});
    if (const Configuration* const configuration = settings::configuration())
        for (size_t i = 0; i < configuration->images.size(); i++)
            routes->push_back(
                {images::directory_of(configuration->images[i]), images::mount_point(i)});
    // Of mounts that are below each other, the innermost has a path; of two at one place, the
    // later one, as with mount(8).
    std::reverse(routes->begin(), routes->end());
    std::stable_sort(routes->begin(), routes->end(), [](const Route& one, const Route& other) {
        return one.directory.size() > other.directory.size();
    });
    all = routes;
}

std::optional<std::string> in_our_kernel(long dirfd, const char* path)
{
    if (!all || !path || !*path || !may_be_ours(path))
        return {};
    const std::string full = without_process(full_path(dirfd, path));
    for (const auto& [directory, target] : *all) {
        if (is_below(full, directory))
            return target + full.substr(directory.size());
    }
    if (is_device(full))
        return "/sysfs" + full.substr(sys.size());
    return open_file(full);
}

std::optional<std::string> out_of_ours(long dirfd, const char* path)
{
    constexpr std::string_view up = "/..";
    const std::string_view text = path ? path : "";
    for (size_t at = text.find(up); at != text.npos; at = text.find(up, at + 1)) {
        const size_t end = at + up.size();
        if (end < text.size() && text[end] != '/')
            continue;
        if (in_our_kernel(dirfd, std::string(text.substr(0, at)).c_str()))
            return full_path(dirfd, path);
    }
    return {};
}

std::optional<std::string> of_program(const std::string& kernel_path)
{
    const std::string path = without_process(kernel_path);
    for (const auto& [directory, target] : *all) {
        if (is_below(path, target))
            return directory + path.substr(target.size());
    }
    if (is_below(path, "/sysfs"))
        return std::string(sys) + path.substr(std::string_view("/sysfs").size());
    return {};
}

bool is_open_file(const std::string& kernel_path)
{
    return kernel_path.starts_with(open_files);
}

bool tells_of_network(const std::string& kernel_path)
{
    return kernel_path.starts_with("/proc/") || kernel_path.starts_with("/sysfs/");
}

int substitute(long dirfd, const char* path, long flags)
{
    constexpr std::string_view name = "resolv.conf";
    // By the name first: see may_be_ours().
    if (!path || !std::string_view(path).ends_with(name) || (flags & O_ACCMODE) != O_RDONLY ||
        full_path(dirfd, path) != "/etc/resolv.conf")
        return -1;
    const std::string text = resolv_conf();
    if (text.empty())
        return -1;
    const long made =
        host::call(SYS_memfd_create, "resolv.conf", flags & O_CLOEXEC ? MFD_CLOEXEC : 0);
    if (made < 0)
        return -1;
    host::call(SYS_pwrite64, made, text.data(), text.size(), 0);
    return static_cast<int>(made);
}

}  // namespace hijack::routes
