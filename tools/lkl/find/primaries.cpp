// SPDX-License-Identifier: GPL-2.0-only
// The single tests of find.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include <fnmatch.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/stat.h>

#include "common/report.hpp"
#include "common/tree/mode_change.hpp"
#include "lkl/find/expression.hpp"

namespace tools::lkl_tool {

namespace {

[[noreturn]] void fail(const std::string& text)
{
    throw ToolError(ExitCode::usage, "find: " + text);
}

// A test that is a function.
template <typename Function>
class Simple final : public FindTest {
public:
    explicit Simple(Function function) : function_(std::move(function)) {}
    bool matches(const Visit& file, FindContext& context) const override
    {
        return function_(file, context);
    }

private:
    const Function function_;
};

template <typename Function>
std::unique_ptr<FindTest> simple(Function function)
{
    return std::make_unique<Simple<Function>>(std::move(function));
}

// The last name of the path, as find(1) takes it for the operand itself.
std::string base_name(const Visit& file)
{
    if (file.depth > 0)
        return file.name;
    std::string_view path = file.path;
    while (path.size() > 1 && path.ends_with('/'))
        path.remove_suffix(1);
    const size_t slash = path.rfind('/');
    return std::string(
        slash == std::string_view::npos || path.size() == 1 ? path : path.substr(slash + 1));
}

// "+N", "N" or "-N": more than, exactly, less than.
struct Comparison {
    char sign = 0;
    uint64_t value = 0;
    bool holds(uint64_t other) const
    {
        return sign == '+' ? other > value : sign == '-' ? other < value : other == value;
    }
};

std::optional<Comparison> parse_comparison(std::string_view text)
{
    Comparison comparison;
    if (text.starts_with('+') || text.starts_with('-')) {
        comparison.sign = text.front();
        text.remove_prefix(1);
    }
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, comparison.value);
    if (text.empty() || error != std::errc() || rest != end)
        return std::nullopt;
    return comparison;
}

Comparison comparison_of(const char* test, const std::string& text)
{
    const auto comparison = parse_comparison(text);
    if (!comparison)
        fail(std::string(test) + ' ' + escaped(text) + ": is not a number");
    return *comparison;
}

std::unique_ptr<FindTest> name_test(const std::string& pattern, int flags)
{
    return simple([pattern, flags](const Visit& file, FindContext&) {
        return fnmatch(pattern.c_str(), base_name(file).c_str(), flags) == 0;
    });
}

std::unique_ptr<FindTest> path_test(const std::string& pattern)
{
    return simple([pattern](const Visit& file, FindContext&) {
        return fnmatch(pattern.c_str(), file.path.c_str(), 0) == 0;
    });
}

std::unique_ptr<FindTest> type_test(const std::string& letters)
{
    constexpr std::string_view known = "bcdflps";
    constexpr std::array types{lkl::FileType::block_device,  lkl::FileType::character_device,
                               lkl::FileType::directory,     lkl::FileType::regular,
                               lkl::FileType::symbolic_link, lkl::FileType::fifo,
                               lkl::FileType::socket};
    std::vector<lkl::FileType> wanted;
    for (size_t i = 0; i < letters.size(); i++) {
        const size_t index = known.find(letters[i]);
        // One letter, or several with commas between them.
        if (i % 2 == 1 ? letters[i] != ',' || i + 1 == letters.size()
                       : index == std::string_view::npos)
            fail("-type " + escaped(letters) + ": is none of b c d f l p s");
        if (i % 2 == 0)
            wanted.push_back(types[index]);
    }
    if (wanted.empty())
        fail("-type: is none of b c d f l p s");
    return simple([wanted](const Visit& file, FindContext&) {
        return std::find(wanted.begin(), wanted.end(), file_type(file.stat)) != wanted.end();
    });
}

// Sizes count in whole units, rounded up: c w b k M G; b, 512 bytes, if none is given.
std::unique_ptr<FindTest> size_test(const std::string& text)
{
    constexpr std::string_view letters = "cwbkMG";
    constexpr std::array<uint64_t, 6> units{1, 2, 512, 1 << 10, 1 << 20, 1 << 30};
    std::string number = text;
    uint64_t unit = 512;
    const size_t letter = text.empty() ? std::string::npos : letters.find(text.back());
    if (letter != std::string_view::npos) {
        unit = units[letter];
        number.pop_back();
    }
    const auto comparison = parse_comparison(number);
    if (!comparison)
        fail("-size " + escaped(text) + ": is not [+-]N[cwbkMG]");
    return simple([unit, comparison = *comparison](const Visit& file, FindContext&) {
        const uint64_t size = file.stat.stx_size;
        return comparison.holds(size / unit + (size % unit != 0 ? 1 : 0));
    });
}

// "MODE": exactly; "-MODE": all of its bits; "/MODE": any of them.
std::unique_ptr<FindTest> permission_test(const std::string& text)
{
    const char kind = text.empty() ? '\0' : text.front();
    const bool with_sign = kind == '-' || kind == '/';
    // The umask has no say in what is looked for.
    const auto change = ModeChange::parse(std::string_view(text).substr(with_sign ? 1 : 0), 0);
    if (!change)
        fail("-perm " + escaped(text) + ": is no mode");
    return simple([kind, change = *change](const Visit& file, FindContext&) {
        const uint32_t bits = change.apply(0, file_type(file.stat) == lkl::FileType::directory);
        const uint32_t mode = file.stat.stx_mode & 07777;
        if (kind == '-')
            return (mode & bits) == bits;
        if (kind == '/')
            return bits == 0 || (mode & bits) != 0;
        return mode == bits;
    });
}

std::unique_ptr<FindTest> user_test(const std::string& text)
{
    return simple([text](const Visit& file, FindContext& context) {
        const auto id = context.users.user_id(text);
        if (!id)
            fail("-user " + escaped(text) + ": is not in the image's /etc/passwd");
        return file.stat.stx_uid == *id;
    });
}

std::unique_ptr<FindTest> group_test(const std::string& text)
{
    return simple([text](const Visit& file, FindContext& context) {
        const auto id = context.users.group_id(text);
        if (!id)
            fail("-group " + escaped(text) + ": is not in the image's /etc/group");
        return file.stat.stx_gid == *id;
    });
}

std::unique_ptr<FindTest> newer_test(const std::string& path)
{
    return simple([path](const Visit& file, FindContext& context) {
        const lkl::Stat other = context.image.stat(path, true, lkl::File::basic_stats);
        const auto& mine = file.stat.stx_mtime;
        return std::tie(mine.tv_sec, mine.tv_nsec) >
               std::tie(other.stx_mtime.tv_sec, other.stx_mtime.tv_nsec);
    });
}

// Whole days, or minutes, since the last change of the contents.
std::unique_ptr<FindTest> age_test(const char* test, const std::string& text, int64_t unit)
{
    const Comparison comparison = comparison_of(test, text);
    const int64_t now = std::time(nullptr);
    return simple([comparison, unit, now](const Visit& file, FindContext&) {
        const int64_t age = now - file.stat.stx_mtime.tv_sec;
        return comparison.holds(age < 0 ? 0 : static_cast<uint64_t>(age / unit));
    });
}

bool is_empty(const Visit& file, FindContext& context)
{
    if (file_type(file.stat) == lkl::FileType::regular)
        return file.stat.stx_size == 0;
    if (file_type(file.stat) != lkl::FileType::directory)
        return false;
    auto opened =
        file.directory.open_at(file.name, LKL_O_RDONLY | LKL_O_DIRECTORY | LKL_O_NOFOLLOW);
    if (!opened)
        throw context.image.failure(opened.error(), file.path);
    constexpr size_t small_buffer = 1024;  // one entry is enough
    lkl::Directory directory(*std::move(opened), small_buffer);
    const auto entry = directory.next();
    if (!entry)
        throw context.image.failure(entry.error(), file.path);
    return *entry == nullptr;
}

template <uint64_t (*value)(const lkl::Stat&)>
std::unique_ptr<FindTest> number_test(const std::string& text)
{
    const auto comparison = parse_comparison(text);
    if (!comparison)
        fail(escaped(text) + ": is not a number");
    return simple([comparison = *comparison](const Visit& file, FindContext&) {
        return comparison.holds(value(file.stat));
    });
}

uint64_t uid_of(const lkl::Stat& stat)
{
    return stat.stx_uid;
}
uint64_t gid_of(const lkl::Stat& stat)
{
    return stat.stx_gid;
}
uint64_t links_of(const lkl::Stat& stat)
{
    return stat.stx_nlink;
}
uint64_t inode_of(const lkl::Stat& stat)
{
    return stat.stx_ino;
}

struct NamedPrimary {
    std::string_view name;
    FindPrimary primary;
};

using Text = const std::string&;

const std::array primaries{
    NamedPrimary{"-name", {true, [](Text text) { return name_test(text, 0); }}},
    NamedPrimary{"-iname", {true, [](Text text) { return name_test(text, FNM_CASEFOLD); }}},
    NamedPrimary{"-path", {true, [](Text text) { return path_test(text); }}},
    NamedPrimary{"-type", {true, [](Text text) { return type_test(text); }}},
    NamedPrimary{"-size", {true, [](Text text) { return size_test(text); }}},
    NamedPrimary{"-perm", {true, [](Text text) { return permission_test(text); }}},
    NamedPrimary{"-user", {true, [](Text text) { return user_test(text); }}},
    NamedPrimary{"-group", {true, [](Text text) { return group_test(text); }}},
    NamedPrimary{"-uid", {true, number_test<uid_of>}},
    NamedPrimary{"-gid", {true, number_test<gid_of>}},
    NamedPrimary{"-links", {true, number_test<links_of>}},
    NamedPrimary{"-inum", {true, number_test<inode_of>}},
    NamedPrimary{"-newer", {true, [](Text text) { return newer_test(text); }}},
    NamedPrimary{"-mtime", {true, [](Text text) { return age_test("-mtime", text, 86400); }}},
    NamedPrimary{"-mmin", {true, [](Text text) { return age_test("-mmin", text, 60); }}},
    NamedPrimary{"-empty", {false, [](Text) { return simple(is_empty); }}},
    NamedPrimary{
        "-true",
        {false, [](Text) { return simple([](const Visit&, FindContext&) { return true; }); }}},
    NamedPrimary{
        "-false",
        {false, [](Text) { return simple([](const Visit&, FindContext&) { return false; }); }}},
    NamedPrimary{"-prune",
                 {false,
                  [](Text) {
                      return simple([](const Visit&, FindContext& context) {
                          context.pruned = true;
                          return true;
                      });
                  }}},
    NamedPrimary{"-print",
                 {false,
                  [](Text) {
                      return simple([](const Visit& file, FindContext& context) {
                          context.print(file);
                          return true;
                      });
                  }}},
    NamedPrimary{"-print0",
                 {false,
                  [](Text) {
                      return simple([](const Visit& file, FindContext& context) {
                          context.print0(file);
                          return true;
                      });
                  }}},
    NamedPrimary{"-ls",
                 {false,
                  [](Text) {
                      return simple([](const Visit& file, FindContext& context) {
                          context.list(file);
                          return true;
                      });
                  }}},
};

}  // namespace

const FindPrimary* find_primary(const std::string& word)
{
    for (const NamedPrimary& named : primaries) {
        if (named.name == word)
            return &named.primary;
    }
    return nullptr;
}

}  // namespace tools::lkl_tool
