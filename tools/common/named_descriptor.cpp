// SPDX-License-Identifier: GPL-2.0-only
#include "common/named_descriptor.hpp"

#include <charconv>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>

#include "common/descriptor.hpp"

namespace tools {

namespace {

namespace fs = std::filesystem;

bool is_same(const struct stat& one, const char* path)
{
    struct stat other;
    return stat(path, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

// By what it is: a sandbox may not allow getcwd(2). While it is open its number is its own.
bool has_descriptors(const fs::path& directory)
{
    const Descriptor opened(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    struct stat status;
    return opened && fstat(opened.get(), &status) == 0 &&
           (is_same(status, "/proc/self/fd") || is_same(status, "/proc/thread-self/fd"));
}

std::optional<int> number_of(const std::string& name)
{
    int number = 0;
    const char* const end = name.data() + name.size();
    const auto [rest, error] = std::from_chars(name.data(), end, number);
    if (error != std::errc() || rest != end || number < 0)
        return std::nullopt;
    return number;
}

}  // namespace

std::optional<int> named_descriptor(const std::string& path)
{
    constexpr int most_links = 40;  // that Linux follows
    fs::path next = path;
    // A link at a time: the last one, of a descriptor, leads to the file as any other does.
    for (int count = 0; count <= most_links; count++) {
        const fs::path directory = next.has_parent_path() ? next.parent_path() : ".";
        if (has_descriptors(directory))
            return number_of(next.filename());
        std::error_code error;
        const fs::path target = fs::read_symlink(next, error);
        if (error)
            return std::nullopt;
        next = directory / target;
    }
    return std::nullopt;
}

}  // namespace tools
