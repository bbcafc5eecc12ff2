// SPDX-License-Identifier: GPL-2.0-only
// Prints files in the formats of ls(1).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <lkl/file.hpp>

#include "lkl/image/image.hpp"
#include "lkl/image/users.hpp"
#include "lkl/image/walk.hpp"
#include "lkl/output/json.hpp"
#include "lkl/output/output.hpp"
#include "lkl/output/problems.hpp"

namespace tools::lkl_tool {

struct ListStyle {
    bool details = false;
    bool numbers = false;
    bool full_time = false;
    bool all = false;
    bool inodes = false;
    bool blocks = false;
    bool human = false;
    bool by_time = false;
    bool by_size = false;
    bool reverse = false;
    bool lines = false;
    bool json = false;
};

// One thread. Files that cannot be looked at are problems.
class Lister {
public:
    // All references are kept.
    Lister(const ListStyle& style, Output& out, Problems& problems, JsonList& json);

    // Where the next files are.
    void set_image(const Image& image);

    // A file that print_added() prints beside others, sorted.
    void add(const Image& image, const Place& place, const std::string& shown);
    void print_added();

    // The line above a directory.
    void title(const std::string& path);
    // Prints a directory, and leaves its entries as they were printed: sorted, without
    // those that are not shown, with their types.
    void list(const lkl::File& directory, const std::string& path, std::vector<WalkEntry>& entries);

private:
    struct Row {
        std::string name;   // as it is shown
        std::string entry;  // in its directory
        std::string path;
        lkl::Stat stat{};
        std::string link;
        std::string mark;  // behind the mode
    };

    bool wants_stat() const;
    bool make_row(const lkl::File& directory, const std::string& entry, const std::string& path,
                  lkl::FileType type, Row& row);
    void add_dots(const lkl::File& directory, const std::string& path, std::vector<Row>& rows);
    void sort(std::vector<Row>& rows) const;
    void print(const std::vector<Row>& rows);
    void print_details(const std::vector<Row>& rows);
    void print_names(const std::vector<Row>& rows);
    void print_columns(const std::vector<std::string>& texts, const std::vector<size_t>& widths);
    std::vector<std::string> detail_cells(const Row& row, size_t minor_width);
    std::string size_cell(const lkl::Stat& stat, size_t minor_width) const;
    std::string blocks_cell(uint64_t blocks) const;
    std::string coloured_name(const Row& row) const;

    const ListStyle& style_;
    Output& out_;
    Problems& problems_;
    JsonList& json_;
    const Image* image_ = nullptr;
    std::map<const Image*, std::unique_ptr<Users>> all_users_;
    Users* users_ = nullptr;
    std::vector<Row> added_;
    bool printed_ = false;  // an empty line stands between groups
};

}  // namespace tools::lkl_tool
