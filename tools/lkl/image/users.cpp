// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/image/users.hpp"

#include <charconv>
#include <cstddef>
#include <span>
#include <string_view>

#include <lkl/linux/fcntl.h>
#include <lkl/linux/stat.h>

namespace tools::lkl_tool {

namespace {

// More is no file of names.
constexpr size_t most = size_t{4} << 20;  // bytes

std::optional<uint32_t> parse_id(std::string_view text)
{
    uint32_t id = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, id);
    // All ones means "no ID" to the system calls.
    if (text.empty() || error != std::errc() || rest != end || id == ~uint32_t{0})
        return std::nullopt;
    return id;
}

std::string read_file(const Image& image, const char* path)
{
    const auto file = image.root().open_in_root(path, LKL_O_RDONLY | LKL_O_NONBLOCK);
    const auto stat = file ? file->stat() : lkl::Result<lkl::Stat>(file.error());
    std::string text;
    if (!stat || (stat->stx_mode & LKL_S_IFMT) != LKL_S_IFREG || stat->stx_size > most)
        return text;
    text.resize(stat->stx_size);
    const auto bytes = std::as_writable_bytes(std::span(text));
    size_t filled = 0;
    while (filled < bytes.size()) {
        const auto count = file->read_at(bytes.subspan(filled), filled);
        if (!count || *count == 0)
            break;
        filled += *count;
    }
    text.resize(filled);
    return text;
}

// Takes what stands before the separator off the text.
std::string_view take(std::string_view& text, char separator)
{
    const size_t end = text.find(separator);
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return part;
}

// Root has its number without a file as well; a file can say otherwise.
std::optional<uint32_t> id_without_file(const std::string& text)
{
    return text == "root" ? 0 : parse_id(text);
}

template <typename Map, typename Key>
auto find(const Map& map, const Key& key)
{
    const auto found = map.find(key);
    return found == map.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

Users::Names& Users::read(Names& names, const char* path)
{
    if (names.read)
        return names;
    names.read = true;
    const std::string text = read_file(image_, path);
    std::string_view rest = text;
    while (!rest.empty()) {
        std::string_view line = take(rest, '\n');
        const std::string name(take(line, ':'));
        (void)take(line, ':');
        const auto id = parse_id(take(line, ':'));
        if (name.empty() || !id)
            continue;
        // The first entry counts, as in the C library.
        names.names.emplace(*id, name);
        names.ids.emplace(name, *id);
    }
    return names;
}

std::string Users::user_name(uint32_t uid)
{
    return find(users().names, uid).value_or(std::to_string(uid));
}

std::string Users::group_name(uint32_t gid)
{
    return find(groups().names, gid).value_or(std::to_string(gid));
}

std::optional<uint32_t> Users::user_id(const std::string& text)
{
    const auto named = find(users().ids, text);
    return named ? named : id_without_file(text);
}

std::optional<uint32_t> Users::group_id(const std::string& text)
{
    const auto named = find(groups().ids, text);
    return named ? named : id_without_file(text);
}

}  // namespace tools::lkl_tool
