// SPDX-License-Identifier: GPL-2.0-only
// Makes files in a tree, of a mounted image or of the host.
//
// What is there already: a directory takes what is new in; anything else is
// replaced by a file of the same name (removed first, so that neither what it links
// to nor its other names change). A directory is never replaced by a file or the
// reverse: that is a failure. So is a name that the file system takes for another one that
// was made before (MadeNames).
//
// A regular file of the host has its name when it is complete (UnfinishedFile); until then,
// what it replaces stays.
//
// Directories get their owner, mode, attributes and times when they are left.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <variant>
#include <vector>

#include <lkl/file.hpp>
#include <lkl/result.hpp>

#include "common/report.hpp"
#include "common/tree/directory_stack.hpp"
#include "common/tree/drop_behind.hpp"
#include "common/tree/entry.hpp"
#include "common/tree/entry_sink.hpp"
#include "common/tree/error_texts.hpp"
#include "common/tree/failures.hpp"
#include "common/tree/host_file.hpp"
#include "common/tree/lost_files.hpp"
#include "common/tree/made_names.hpp"
#include "common/tree/settings_writer.hpp"
#include "common/tree/unfinished_file.hpp"

namespace tools {

// One thread. What fails of a single file is told to `failures`, and the file is
// removed if it is incomplete; ToolError is thrown when nothing can follow. File is
// lkl::File or HostFile, whose process's umask must be 0.
template <typename File>
class TreeWriter final : public EntryConsumer {
public:
    // All references are kept.
    TreeWriter(File top, const WriteOptions& options, const ErrorTexts& texts, Failures& failures);

    void begin(const Entry& entry) override;
    void begin_whole(const Entry& entry) override;
    void data(uint64_t offset, std::span<const std::byte> bytes) override;
    void abandon() override;
    void end() override;
    uint64_t share(const lkl::File& source, const Extent& extent) override;
    void finish() override;
    bool made(const std::string& path) const override { return !lost_.contains(path); }

private:
    using Level = typename DirectoryStack<File>::Level;
    static constexpr bool of_host = std::is_same_v<File, HostFile>;

    // Thrown for what concerns the current entry.
    struct EntryFailure {
        ToolError error;
    };

    void make(const Entry& entry);
    void make_directory(const Entry& entry);
    void make_regular();
    void make_hard_link(const Entry& entry);
    void copy_instead(const File& directory, const std::string& name);
    void make_other(const Entry& entry);
    template <typename Make>
    auto replacing(const Make& make);
    void require_replaceable();
    void check_name(const std::string& name);
    void add_name(const std::string& name);
    File create_regular();
    void write(uint64_t offset, std::span<const std::byte> bytes);
    void finish_regular();
    void drop();
    void fail(const EntryFailure& caught);

    void go_to(std::string_view directory);
    void enter(bool made);
    void leave(Level& level, std::string_view path);
    const File& link_directory(std::string_view path);
    static bool directory_inherits(const File& directory);

    uint32_t creation_mode() const;
    MadeAs made_as(uint32_t mode);
    EntryFailure directory_in_the_way() const;
    EntryFailure failure(const lkl::Error& error, std::string_view path) const;
    template <typename T>
    T check(lkl::Result<T> result) const;

    const WriteOptions options_;
    const ErrorTexts& texts_;
    Failures& failures_;
    SettingsWriter<File> settings_;
    DirectoryStack<File> stack_;

    Entry entry_;           // the current one
    std::string name_;      // its name in stack_.current()
    File file_;             // open if it is a regular one
    uint64_t written_ = 0;  // up to where, in bytes
    uint64_t bytes_ = 0;    // of its data
    DropBehind behind_;     // of an image
    std::conditional_t<of_host, UnfinishedFile, std::monostate> unfinished_;
    bool at_once_ = false;   // all of its data are there
    bool made_ = false;      // it exists, and is not complete
    bool skipping_ = false;  // its data are not wanted
    // Nothing below this directory can be made.
    std::string refused_;
    LostFiles lost_;
    MadeNames<File> names_;
    // The file system keeps modes as they are given: known after the first file.
    enum class Modes { unknown, kept, changed } modes_ = Modes::unknown;

    File link_directory_;
    std::string link_directory_path_;
    // Of directories that were left, with any_order.
    std::unordered_map<std::string, lkl::FileTimes> left_;
};

}  // namespace tools
