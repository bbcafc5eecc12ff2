// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/attribute_reader.hpp"

#include <span>
#include <string_view>

#include <lkl/asm/errno.h>

#include "common/tree/host_file.hpp"

namespace tools {

namespace {

// The kernel's limits (linux/limits.h) for a list of names and for a value.
constexpr size_t max_list = 65536;
constexpr size_t max_value = 65536;

}  // namespace

template <typename File>
AttributeReader<File>::AttributeReader() : names_(max_list), value_(max_value)
{
}

// list(buffer) and get(name, buffer) are the two calls.
template <typename File>
template <typename List, typename Get>
lkl::Result<void> AttributeReader<File>::read_with(const List& list, const Get& get,
                                                   std::vector<Attribute>& attributes)
{
    attributes.clear();
    const lkl::Result<size_t> length = list(std::span(names_));
    if (!length) {
        if (length.error().code == LKL_EOPNOTSUPP)
            return {};
        return length.error();
    }
    std::string_view names(names_.data(), *length);
    while (!names.empty()) {
        const std::string_view name = names.substr(0, names.find('\0'));
        names.remove_prefix(name.size() + 1);

        const lkl::Result<size_t> size = get(name.data(), std::span(value_));
        if (!size) {
            // Some file systems list what they then do not have, or do not show.
            if (size.error().code == LKL_ENODATA || size.error().code == LKL_EOPNOTSUPP)
                continue;
            return size.error();
        }
        attributes.push_back(
            {std::string(name), std::string(reinterpret_cast<const char*>(value_.data()), *size)});
    }
    return {};
}

template <typename File>
lkl::Result<void> AttributeReader<File>::read(const File& file, std::vector<Attribute>& attributes)
{
    return read_with([&file](std::span<char> names) { return file.list_attributes(names); },
                     [&file](const char* name, std::span<std::byte> value) {
                         return file.get_attribute(name, value);
                     },
                     attributes);
}

template <typename File>
lkl::Result<void> AttributeReader<File>::read_at(const File& directory, const char* name,
                                                 std::vector<Attribute>& attributes)
{
    return read_with(
        [&](std::span<char> names) { return directory.list_attributes_at(name, names); },
        [&](const char* attribute, std::span<std::byte> value) {
            return directory.get_attribute_at(name, attribute, value);
        },
        attributes);
}

template class AttributeReader<lkl::File>;
template class AttributeReader<HostFile>;

}  // namespace tools
