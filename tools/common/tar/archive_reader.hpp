// SPDX-License-Identifier: GPL-2.0-only
// Reads an archive of any format and compression that libarchive knows, and gives
// its members to a sink.
#pragma once

#include <clocale>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <archive.h>
#include <archive_entry.h>

#include "common/progress.hpp"
#include "common/tar/archive_input.hpp"
#include "common/tar/filter_source.hpp"
#include "common/tree/entry.hpp"
#include "common/tree/entry_sink.hpp"
#include "common/tree/exclude.hpp"
#include "common/tree/failures.hpp"
#include "common/tree/rewrite.hpp"

namespace tools {

// A member's path as that of a file below the destination; none: it would lead out of
// there. "/" and "./" at its start mean the destination.
std::optional<std::string> path_below(std::string_view path);

struct ArchiveOptions {
    std::string prefix;  // the directory that members go to; empty: the top
    ExcludePatterns exclude;
    Rewrite rewrite;
    bool data = true;  // false: what the members are, without their data
};

// One thread. What fails of a single member is told to `failures`.
class ArchiveReader {
public:
    // Looks at the first member. The descriptor stays the caller's, all references are
    // kept. Throws ToolError, ExitCode::archive, for what is no archive. name: for
    // messages.
    ArchiveReader(int descriptor, std::string name, const ArchiveOptions& options,
                  Failures& failures, Progress& progress);

    // Gives all members to the sink. An archive that ends too early, or is damaged, is
    // a failure like any other.
    void run(EntrySink& sink);

private:
    struct FreeLocale {
        void operator()(locale_t locale) const { freelocale(locale); }
    };

    int next_header();
    bool convert();
    bool set_type();
    void set_times();
    void set_attributes();
    void apply_pax_records();
    bool has_attribute(std::string_view name) const;
    void add_acl(const char* name, int type);
    void check_end();
    void check_end_of_tar();
    void check_behind();
    void give(EntrySink& sink);
    bool give_data(EntrySink& sink);
    void set_extents();
    void show_position();
    // Of the archive, and of a member.
    void fail_after(la_int64_t position, std::string_view why);
    void fail(std::string_view path, std::string_view why);
    std::string error_text() const;
    bool is_about_charset() const;
    static la_ssize_t read_callback(archive* reader, void* self, const void** block);

    const std::string name_;
    const ArchiveOptions& options_;
    Failures& failures_;
    Progress& progress_;
    std::unique_ptr<ArchiveInput> input_;  // none: libarchive reads the file itself
    ArchiveHandle archive_;
    std::unique_ptr<std::remove_pointer_t<locale_t>, FreeLocale> locale_;
    archive_entry* member_ = nullptr;
    int status_ = ARCHIVE_EOF;  // of the last header
    Entry entry_;
};

}  // namespace tools
