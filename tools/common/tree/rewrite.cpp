// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/rewrite.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "common/tar/acl.hpp"

namespace tools {

namespace {

// Fills in numbers that colons separate; how many there are, 0 for another text.
size_t parse_numbers(std::string_view text, std::span<uint32_t> numbers)
{
    for (size_t count = 0; count < numbers.size(); count++) {
        const size_t colon = text.find(':');
        const std::string_view digits = text.substr(0, colon);
        const char* const end = digits.data() + digits.size();
        const auto result = std::from_chars(digits.data(), end, numbers[count]);
        if (result.ec != std::errc() || result.ptr != end)
            return 0;
        if (colon == std::string_view::npos)
            return count + 1;
        text.remove_prefix(colon + 1);
    }
    return 0;
}

// This ID means "no change" to chown(2).
constexpr uint32_t no_id = ~0u;

bool is_acl(const Attribute& attribute)
{
    return attribute.name.starts_with("system.posix_acl_");
}

}  // namespace

std::optional<Owner> parse_owner(std::string_view text)
{
    std::array<uint32_t, 2> numbers{};
    if (parse_numbers(text, numbers) != 2 || numbers[0] == no_id || numbers[1] == no_id)
        return std::nullopt;
    return Owner{numbers[0], numbers[1]};
}

std::optional<IdRange> parse_id_range(std::string_view text)
{
    std::array<uint32_t, 3> numbers{0, 0, 1};
    if (parse_numbers(text, numbers) < 2)
        return std::nullopt;
    const auto [from, to, count] = numbers;
    if (count == 0 || from > no_id - count || to > no_id - count)
        return std::nullopt;
    return IdRange{from, to, count};
}

void Rewrite::apply(Entry& entry) const
{
    if (!ids.empty()) {
        const auto map = [this](uint32_t id) {
            for (const IdRange& range : ids) {
                if (id >= range.from && id - range.from < range.count)
                    return range.to + (id - range.from);
            }
            return id;
        };
        entry.uid = map(entry.uid);
        entry.gid = map(entry.gid);
        for (Attribute& attribute : entry.attributes) {
            if (is_acl(attribute))
                map_acl_ids(attribute.value, map);
        }
    }
    if (owner) {
        entry.uid = owner->uid;
        entry.gid = owner->gid;
    }
    if (!mode.empty() && entry.type != EntryType::symbolic_link)
        entry.mode = mode.apply(entry.mode, entry.type == EntryType::directory);
    if (!attributes)
        entry.attributes.clear();
    if (!label.empty() && entry.type != EntryType::hard_link) {
        std::erase_if(entry.attributes,
                      [](const Attribute& a) { return a.name == "security.selinux"; });
        // The zero byte at its end is part of it.
        entry.attributes.push_back({"security.selinux", label + '\0'});
    }
    if (latest_time) {
        if (entry.mtime.seconds >= *latest_time)
            entry.mtime = {*latest_time, 0};
        entry.atime = entry.mtime;
        entry.ctime = entry.mtime;
    }
}

}  // namespace tools
