// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/listing/lister.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <tuple>
#include <utility>

#include <lkl/linux/stat.h>

#include "lkl/listing/colours.hpp"
#include "lkl/output/format.hpp"

namespace tools::lkl_tool {

namespace {

bool is_device(const lkl::Stat& stat)
{
    const lkl::FileType type = file_type(stat);
    return type == lkl::FileType::character_device || type == lkl::FileType::block_device;
}

bool is_before(const struct lkl_statx_timestamp& a, const struct lkl_statx_timestamp& b)
{
    return std::tie(a.tv_sec, a.tv_nsec) < std::tie(b.tv_sec, b.tv_nsec);
}

bool has_attribute(const lkl::File& directory, const char* name, const char* attribute)
{
    const auto size = directory.get_attribute_at(name, attribute, {});
    return size && *size > 0;
}

// What stands behind the mode: "+" for an ACL, "." for a label alone.
std::string access_mark(const lkl::File& directory, const char* name, const lkl::Stat& stat)
{
    const bool link = file_type(stat) == lkl::FileType::symbolic_link;
    if (!link && (has_attribute(directory, name, "system.posix_acl_access") ||
                  has_attribute(directory, name, "system.posix_acl_default")))
        return "+";
    return has_attribute(directory, name, "security.selinux") ? "." : "";
}

std::string to_right(const std::string& text, size_t width)
{
    return std::string(width - text.size(), ' ') + text;
}

}  // namespace

Lister::Lister(const ListStyle& style, Output& out, Problems& problems, JsonList& json)
    : style_(style), out_(out), problems_(problems), json_(json)
{
}

void Lister::set_image(const Image& image)
{
    image_ = &image;
    auto& users = all_users_[image_];
    if (!users)
        users = std::make_unique<Users>(image);
    users_ = users.get();
}

bool Lister::wants_stat() const
{
    return style_.details || style_.inodes || style_.blocks || style_.by_time || style_.by_size ||
           style_.json || out_.coloured();
}

// False: there is no such row, and that was told.
bool Lister::make_row(const lkl::File& directory, const std::string& entry, const std::string& path,
                      lkl::FileType type, Row& row)
{
    row.entry = entry;
    row.path = path;
    row.stat.stx_mode = static_cast<uint16_t>(static_cast<unsigned>(type) << 12);
    if (!wants_stat() && type != lkl::FileType::unknown)
        return true;
    return problems_.guarded([&] {
        const auto stat = directory.stat_at(
            entry.c_str(), lkl::File::basic_stats | (style_.json ? LKL_STATX_BTIME : 0));
        if (!stat)
            throw image_->failure(stat.error(), path);
        row.stat = *stat;
        if (!style_.details && !style_.json)
            return;
        if (!style_.json)
            row.mark = access_mark(directory, entry.c_str(), *stat);
        if (file_type(*stat) == lkl::FileType::symbolic_link) {
            auto link = directory.read_link_at(entry.c_str());
            if (!link)
                throw image_->failure(link.error(), path);
            row.link = *std::move(link);
        }
    });
}

void Lister::add(const Image& image, const Place& place, const std::string& shown)
{
    set_image(image);
    Row row;
    if (!make_row(place.directory, place.name, shown, lkl::FileType::unknown, row))
        return;
    row.name = shown;
    added_.push_back(std::move(row));
}

void Lister::print_added()
{
    if (added_.empty())
        return;
    sort(added_);
    print(added_);
    printed_ = true;
    added_.clear();
}

void Lister::title(const std::string& path)
{
    if (style_.json)
        return;
    out_.write((printed_ ? "\n" : "") + out_.name(path) + ":\n");
    printed_ = true;
}

// "." and "..", of which the top directory's leads nowhere else.
void Lister::add_dots(const lkl::File& directory, const std::string& path, std::vector<Row>& rows)
{
    const auto here = directory.stat(identity_mask);
    const auto top = image_->root().stat(identity_mask);
    const bool at_top = here && top && identity_of(*here) == identity_of(*top);
    for (const char* const name : {".", ".."}) {
        Row row;
        if (!make_row(directory, at_top ? "." : name, path + '/' + name, lkl::FileType::directory,
                      row))
            continue;
        row.name = name;
        rows.push_back(std::move(row));
    }
}

void Lister::list(const lkl::File& directory, const std::string& path,
                  std::vector<WalkEntry>& entries)
{
    std::vector<Row> rows;
    if (style_.all && !style_.json)
        add_dots(directory, path, rows);
    const size_t dots = rows.size();
    const std::string prefix = path.ends_with('/') ? path : path + '/';
    for (WalkEntry& entry : entries) {
        if (entry.name.starts_with('.') && !style_.all)
            continue;
        Row row;
        if (!make_row(directory, entry.name, prefix + entry.name, entry.type, row))
            continue;
        row.name = entry.name;
        rows.push_back(std::move(row));
    }
    std::vector<WalkEntry> shown;
    sort(rows);
    for (const Row& row : rows) {
        if (dots == 0 || (row.name != "." && row.name != ".."))
            shown.push_back({row.entry, file_type(row.stat)});
    }
    entries = std::move(shown);
    if (!style_.json && (style_.details || style_.blocks)) {
        uint64_t blocks = 0;
        for (const Row& row : rows)
            blocks += row.stat.stx_blocks;
        out_.write("total " + blocks_cell(blocks) + '\n');
    }
    print(rows);
}

void Lister::sort(std::vector<Row>& rows) const
{
    const auto before = [this](const Row& a, const Row& b) {
        if (style_.by_size && a.stat.stx_size != b.stat.stx_size)
            return a.stat.stx_size > b.stat.stx_size;
        if (style_.by_time && is_before(b.stat.stx_mtime, a.stat.stx_mtime))
            return true;
        if (style_.by_time && is_before(a.stat.stx_mtime, b.stat.stx_mtime))
            return false;
        return a.name < b.name;
    };
    if (style_.reverse)
        std::sort(rows.begin(), rows.end(),
                  [&before](const Row& a, const Row& b) { return before(b, a); });
    else
        std::sort(rows.begin(), rows.end(), before);
}

void Lister::print(const std::vector<Row>& rows)
{
    if (style_.json) {
        for (const Row& row : rows) {
            JsonObject object;
            object.set("path", row.path);
            set_stat(object, row.stat);
            if (file_type(row.stat) == lkl::FileType::symbolic_link)
                object.set("target", row.link);
            json_.add(object);
        }
    } else if (style_.details) {
        print_details(rows);
    } else {
        print_names(rows);
    }
}

// minor_width: of the longest minor number beside it.
std::string Lister::size_cell(const lkl::Stat& stat, size_t minor_width) const
{
    if (is_device(stat)) {
        const std::string minor = std::to_string(stat.stx_rdev_minor);
        return std::to_string(stat.stx_rdev_major) + ", " +
               std::string(minor_width - minor.size(), ' ') + minor;
    }
    return size_text(stat.stx_size, style_.human);
}

// blocks: of 512 bytes.
std::string Lister::blocks_cell(uint64_t blocks) const
{
    return style_.human ? human_size(blocks * 512) : std::to_string((blocks + 1) / 2);
}

std::string Lister::coloured_name(const Row& row) const
{
    const std::string name = out_.name(row.name);
    return out_.coloured() ? in_colour(name, row.stat) : name;
}

std::vector<std::string> Lister::detail_cells(const Row& row, size_t minor_width)
{
    const lkl::Stat& stat = row.stat;
    std::vector<std::string> cells;
    if (style_.inodes)
        cells.push_back(std::to_string(stat.stx_ino));
    if (style_.blocks)
        cells.push_back(blocks_cell(stat.stx_blocks));
    cells.push_back(mode_text(stat.stx_mode) + row.mark);
    cells.push_back(std::to_string(stat.stx_nlink));
    if (style_.numbers) {
        cells.push_back(std::to_string(stat.stx_uid));
        cells.push_back(std::to_string(stat.stx_gid));
    } else {
        cells.push_back(out_.name(users_->user_name(stat.stx_uid)));
        cells.push_back(out_.name(users_->group_name(stat.stx_gid)));
    }
    cells.push_back(size_cell(stat, minor_width));
    cells.push_back(style_.full_time ? full_time(stat.stx_mtime) : short_time(stat.stx_mtime));
    std::string name = coloured_name(row);
    if (file_type(stat) == lkl::FileType::symbolic_link)
        name += " -> " + out_.name(row.link);
    cells.push_back(std::move(name));
    return cells;
}

void Lister::print_details(const std::vector<Row>& rows)
{
    using enum Table::Align;
    std::vector<Table::Align> columns;
    if (style_.inodes)
        columns.push_back(right);
    if (style_.blocks)
        columns.push_back(right);
    for (const Table::Align align : {left, right, left_name, left_name, right, right, left})
        columns.push_back(align);
    size_t minor_width = 0;
    for (const Row& row : rows) {
        if (is_device(row.stat))
            minor_width = std::max(minor_width, std::to_string(row.stat.stx_rdev_minor).size());
    }
    Table table(columns);
    for (const Row& row : rows)
        table.add(detail_cells(row, minor_width));
    out_.write(table.text());
}

void Lister::print_names(const std::vector<Row>& rows)
{
    const auto inode = [](const Row& row) { return std::to_string(row.stat.stx_ino); };
    const auto blocks = [this](const Row& row) { return blocks_cell(row.stat.stx_blocks); };
    size_t inode_width = 0;
    size_t blocks_width = 0;
    for (const Row& row : rows) {
        inode_width = std::max(inode_width, inode(row).size());
        blocks_width = std::max(blocks_width, blocks(row).size());
    }
    std::vector<std::string> texts;
    std::vector<size_t> widths;
    for (const Row& row : rows) {
        std::string before;
        if (style_.inodes)
            before += to_right(inode(row), inode_width) + ' ';
        if (style_.blocks)
            before += to_right(blocks(row), blocks_width) + ' ';
        widths.push_back(text_width(before + out_.name(row.name)));
        texts.push_back(before + coloured_name(row));
    }
    if (out_.terminal() && !style_.lines) {
        print_columns(texts, widths);
        return;
    }
    for (const std::string& text : texts)
        out_.write(text + '\n');
}

// In columns, read from top to bottom; as few lines as the terminal allows.
void Lister::print_columns(const std::vector<std::string>& texts, const std::vector<size_t>& widths)
{
    constexpr size_t gap = 2;
    const size_t room = out_.width();
    const size_t count = texts.size();
    std::vector<size_t> columns;
    size_t lines = 1;
    for (; lines < count; lines++) {
        columns.clear();
        size_t total = 0;
        for (size_t start = 0; start < count; start += lines) {
            const auto first = widths.begin() + static_cast<std::ptrdiff_t>(start);
            const auto last =
                widths.begin() + static_cast<std::ptrdiff_t>(std::min(start + lines, count));
            columns.push_back(*std::max_element(first, last) + gap);
            total += columns.back();
        }
        if (total <= room + gap)
            break;
    }
    if (lines >= count)
        columns.assign(1, 0);
    for (size_t line = 0; line < lines; line++) {
        std::string text;
        for (size_t column = 0, i = line; i < count; column++, i += lines) {
            text += texts[i];
            if (i + lines < count)
                text.append(columns[column] - widths[i], ' ');
        }
        out_.write(text + (count > 0 ? "\n" : ""));
    }
}

}  // namespace tools::lkl_tool
