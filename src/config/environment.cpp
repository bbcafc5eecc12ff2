// SPDX-License-Identifier: GPL-2.0-only
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <string>

#include <unistd.h>

#include "config/configuration.hpp"
#include "config/fields.hpp"

namespace lkl::config {

namespace {

// Not for programs that have more rights than who started them; null: not given.
const char* variable(const std::string& name)
{
    const char* const text = ::secure_getenv(("LKL_HIJACK_" + name).c_str());
    return text && *text ? text : nullptr;
}

template <typename Owner, size_t count>
bool any_given(const Field<Owner> (&fields)[count])
{
    for (const auto& field : fields)
        if (field.variable && variable(field.variable))
            return true;
    return false;
}

template <typename Owner, size_t count>
void add_variables(Owner& owner, const Field<Owner> (&fields)[count])
{
    for (const auto& field : fields)
        if (field.variable)
            if (const char* const text = variable(field.variable))
                owner.*field.text = text;
}

lkl::Result<Configuration> read_file(const std::string& path)
{
    // What is longer is no file of settings, and a device may have no end.
    constexpr size_t most = 1 << 20;  // bytes
    std::ifstream file(path);
    std::string text(most + 1, '\0');
    if (!file || !(file.read(text.data(), static_cast<std::streamsize>(text.size())) || file.eof()))
        return lkl::Error{errno, path + ": " + std::strerror(errno)};
    text.resize(static_cast<size_t>(file.gcount()));
    if (text.size() > most)
        return lkl::Error{EFBIG, path + ": longer than 1 MiB"};
    return parse_json(text, path);
}

}  // namespace

void add_environment(Configuration& configuration)
{
    add_variables(configuration, global_fields);
    const char* const tap = variable("NET_TAP");
    if (!tap && !any_given(interface_fields))
        return;
    if (configuration.interfaces.empty())
        configuration.interfaces.emplace_back();
    Interface& first = configuration.interfaces.front();
    if (tap) {
        first.type = "tap";
        first.parameter = tap;
    }
    add_variables(first, interface_fields);
}

lkl::Result<Configuration> read_established(const std::string& file)
{
    constexpr const char* here = "lkl-hijack.json";
    std::string path = file;
    if (const char* const named = variable("CONFIG_FILE"); path.empty() && named)
        path = named;
    else if (path.empty() && ::access(here, F_OK) == 0)
        path = here;
    Configuration configuration;
    if (!path.empty()) {
        auto read = read_file(path);
        if (!read)
            return read;
        configuration = *std::move(read);
    }
    add_environment(configuration);
    return configuration;
}

lkl::Result<Configuration> read_configuration()
{
    if (const char* const text = ::secure_getenv("LKL_RUN_CONFIG"); text && *text)
        return parse_json(text, "LKL_RUN_CONFIG", Origin::launcher);
    auto configuration = read_established();
    if (!configuration)
        return configuration;
    if (auto checked = check(*configuration); !checked)
        return checked.error();
    make_paths_full(*configuration);
    return configuration;
}

std::string make_run_id()
{
    timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return std::to_string(::getpid()) + "-" + std::to_string(now.tv_sec) + "-" +
           std::to_string(now.tv_nsec);
}

}  // namespace lkl::config
