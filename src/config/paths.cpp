// SPDX-License-Identifier: GPL-2.0-only
#include <filesystem>

#include "config/configuration.hpp"
#include "config/device_types.hpp"

namespace lkl::config {

namespace {

std::string full(const std::string& path)
{
    return path.empty() ? path : std::filesystem::absolute(path).lexically_normal().string();
}

// Names of interfaces and URLs are no paths.
bool is_path(const std::string& text)
{
    return text.find('/') != std::string::npos && text.find("://") == std::string::npos;
}

void make_full(Interface& one)
{
    std::string& parameter = one.parameter;
    if (one.type == "pipe") {
        if (const auto paths = parse_pipes(parameter))
            parameter = full(paths->first) + "|" + full(paths->second);
    } else if (one.type == "passt") {
        parameter = parameter.starts_with('-') ? parameter : full(parameter);
    } else if ((one.type == "macvtap" || one.type == "vde") && is_path(parameter)) {
        parameter = full(parameter);
    }
}

}  // namespace

void make_paths_full(Configuration& configuration)
{
    configuration.pcap = full(configuration.pcap);
    for (Interface& one : configuration.interfaces)
        make_full(one);
    for (std::string& image : configuration.images)
        image = full(image);
}

}  // namespace lkl::config
