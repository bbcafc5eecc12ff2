// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/made_names.hpp"

#include <algorithm>
#include <functional>

#include <lkl/asm/errno.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/stat.h>

#include "common/tree/identity.hpp"

namespace tools {

namespace {

uint64_t hash(std::string_view text)
{
    return std::hash<std::string_view>()(text);
}

uint64_t hash(std::string_view path, std::string_view name)
{
    constexpr uint64_t odd = 0x9e3779b97f4a7c15;
    return (hash(path) * odd) ^ hash(name);
}

bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// With one letter in the other case; empty for a name without a letter, or with a byte that is
// no ASCII: how a file system understands it may depend on what it takes for its encoding.
std::string other_spelling(const std::string& name)
{
    constexpr char case_bit = 0x20;
    const auto letter = std::find_if(name.begin(), name.end(), is_letter);
    const bool ascii = std::all_of(name.begin(), name.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (letter == name.end() || !ascii)
        return {};
    std::string spelling = name;
    spelling[static_cast<size_t>(letter - name.begin())] ^= case_bit;
    return spelling;
}

// HFS+, and ZFS of the host, may tell letters of either case apart, and yet have two forms of a
// Unicode name for one.
template <typename File>
bool takes_forms_for_one(const File& directory)
{
    constexpr long hfs_plus = 0x482b;
    constexpr long zfs = 0x2fc12fc1;
    const auto system = directory.stat_file_system();
    return !system || system->f_type == hfs_plus || system->f_type == zfs;
}

// Hard links may have both names, as two files may.
template <typename File>
NameRule rule_of(const File& directory, const std::string& name)
{
    const std::string spelling = other_spelling(name);
    if (spelling.empty())
        return NameRule::unknown;
    const auto found = directory.stat_at(spelling.c_str(), identity_mask);
    if (!found)
        return found.error().code == LKL_ENOENT && !takes_forms_for_one(directory)
                   ? NameRule::exact
                   : NameRule::unknown;
    const auto stat = directory.stat_at(name.c_str(), identity_mask);
    if (!stat || identity_of(*stat) != identity_of(*found))
        return NameRule::unknown;
    const bool one_name = stat->stx_nlink == 1 || (stat->stx_mode & LKL_S_IFMT) == LKL_S_IFDIR;
    return one_name ? NameRule::folded : NameRule::unknown;
}

// Calls function(entry) for each entry until it returns false. What cannot be read is not
// known to have been there: nothing takes its place.
template <typename File, typename Function>
void for_each_entry(const File& directory, const Function& function)
{
    auto opened = directory.open_at(".", LKL_O_RDONLY | LKL_O_DIRECTORY);
    if (!opened)
        return;
    typename DirectoryOf<File>::Type entries(*std::move(opened));
    for (auto entry = entries.next(); entry && *entry != nullptr; entry = entries.next()) {
        if (!function(**entry))
            return;
    }
}

}  // namespace

template <typename File>
void MadeNames<File>::enter(Level& level, std::string_view path)
{
    if (!level.made)
        level.names = exact_.contains(hash(path))         ? NameRule::exact
                      : directories_.contains(hash(path)) ? NameRule::folded
                                                          : NameRule::unknown;
    else if (level.names != NameRule::exact)
        directories_.insert(hash(path));
}

// Finds out how names are compared, by one that is there; if need be, what was there before.
template <typename File>
void MadeNames<File>::look(Level& level, std::string_view path, const std::string& name,
                           bool is_new)
{
    if (level.names == NameRule::unknown)
        level.names = rule_of(level.directory, name);
    if (level.names == NameRule::exact) {
        // Else its names would be read anew with each visit.
        if (directories_.erase(hash(path)) > 0)
            exact_.insert(hash(path));
        return;
    }
    if (!directories_.insert(hash(path)).second)
        return;
    // Here the number says which one it is: a file that was just looked at is in memory.
    const auto stat = level.directory.stat_at(name.c_str());
    for_each_entry(level.directory, [&](const lkl::DirectoryEntry& entry) {
        if (!is_new || !stat || entry.inode != stat->stx_ino)
            old_.insert(hash(path, entry.name));
        return true;
    });
}

template <typename File>
std::optional<std::string> MadeNames<File>::shown_name(const File& directory, uint64_t inode)
{
    std::optional<std::string> name;
    for_each_entry(directory, [&](const lkl::DirectoryEntry& entry) {
        if (entry.inode == inode)
            name = entry.name;
        return !name;
    });
    return name;
}

template <typename File>
std::optional<std::string> MadeNames<File>::other(Level& level, std::string_view path,
                                                  const std::string& name)
{
    replaced_.reset();
    if (level.names == NameRule::exact)
        return std::nullopt;
    const auto stat = level.directory.stat_at(name.c_str());
    if (!stat)
        return std::nullopt;
    look(level, path, name, false);
    const uint64_t key = being_made_ = hash(path, name);
    if (level.names == NameRule::exact || made_.contains(key))
        return std::nullopt;
    if (old_.contains(key)) {
        replaced_ = key;
        return std::nullopt;
    }
    const auto shown = shown_name(level.directory, stat->stx_ino);
    if (!shown)
        return name;
    if (const uint64_t shown_key = hash(path, *shown); old_.contains(shown_key)) {
        replaced_ = shown_key;
        return std::nullopt;
    }
    return shown;
}

template <typename File>
void MadeNames<File>::add(Level& level, std::string_view path, const std::string& name)
{
    if (level.names == NameRule::exact)
        return;
    look(level, path, name, true);
    if (level.names == NameRule::exact)
        return;
    const uint64_t key = hash(path, name);
    made_.insert(key);
    old_.erase(key);
    if (replaced_ && being_made_ == key)
        old_.erase(*replaced_);
    replaced_.reset();
}

template <typename File>
void MadeNames<File>::remove(const Level& level, std::string_view path, std::string_view name)
{
    if (level.names != NameRule::exact)
        made_.erase(hash(path, name));
}

template class MadeNames<lkl::File>;
template class MadeNames<HostFile>;

}  // namespace tools
