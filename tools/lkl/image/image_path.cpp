// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/image/image_path.hpp"

#include <sys/stat.h>

namespace tools::lkl_tool {

namespace {

// A link as such: it may lead nowhere, and who follows it changes its time of access.
bool exists(const std::string& path)
{
    struct stat status;
    return lstat(path.c_str(), &status) == 0;
}

// What may be an image, if a colon stands behind it.
bool may_be_image(const std::string& name)
{
    struct stat status;
    return stat(split_partition(name).file.c_str(), &status) == 0 &&
           (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode));
}

ImagePath split(const std::string& argument, size_t colon)
{
    return {argument.substr(0, colon), argument.substr(colon + 1), true};
}

// Of the colon behind the longest name of a file.
size_t find_colon(const std::string& argument)
{
    size_t colon = argument.rfind(':');
    while (colon != std::string::npos && colon > 0) {
        if (may_be_image(argument.substr(0, colon)))
            return colon;
        colon = argument.rfind(':', colon - 1);
    }
    return std::string::npos;
}

}  // namespace

PartitionName split_partition(const std::string& image)
{
    constexpr size_t most_digits = 4;
    const size_t at = image.rfind('@');
    if (at == std::string::npos || at == 0 || exists(image))
        return {image, std::nullopt};
    const std::string digits = image.substr(at + 1);
    if (digits.empty() || digits.size() > most_digits ||
        digits.find_first_not_of("0123456789") != std::string::npos)
        return {image, std::nullopt};
    return {image.substr(0, at), static_cast<unsigned>(std::stoul(digits))};
}

ImagePath parse_image_path(const std::string& argument)
{
    if (exists(argument))
        return {argument, {}, false};
    size_t colon = find_colon(argument);
    if (colon == std::string::npos)
        colon = argument.find(':');
    if (colon == std::string::npos)
        return {argument, {}, false};
    return split(argument, colon);
}

std::optional<ImagePath> parse_either_side(const std::string& argument)
{
    if (exists(argument))
        return std::nullopt;
    const size_t colon = find_colon(argument);
    if (colon == std::string::npos)
        return std::nullopt;
    return split(argument, colon);
}

}  // namespace tools::lkl_tool
