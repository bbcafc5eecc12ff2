// SPDX-License-Identifier: GPL-2.0-only
// Where contents come from: a directory, an archive in a file, or one on standard input.
#pragma once

#include <string>

#include "common/descriptor.hpp"
#include "common/progress.hpp"
#include "common/sandbox/sandbox.hpp"
#include "common/tree/entry_sink.hpp"
#include "common/tree/exclude.hpp"
#include "common/tree/failures.hpp"
#include "common/tree/identity.hpp"
#include "common/tree/rewrite.hpp"

namespace tools::mkimage {

// What is copied, and how; the same for all sources.
struct CopyChoices {
    ExcludePatterns exclude;
    Rewrite rewrite;
    bool fail_fast = false;
    bool quiet = false;
    std::optional<Identity> unseen;  // the image itself, as long as it is not complete
};

class Source {
public:
    // Opens it. Throws ToolError: ExitCode::path, ExitCode::archive.
    explicit Source(const std::string& path);

    bool is_archive() const { return archive_.get() >= 0; }
    // Of a directory, without symbolic links in it.
    const std::string& directory() const { return directory_; }

    // An archive that can be read once is kept, in a file without a name there, so that it
    // can be read again. Throws ToolError.
    void make_rereadable(const std::string& scratch_directory);

    // What is known of it for a progress bar before it is read: how long an archive is.
    ProgressTotals totals() const;

    // What reading it takes.
    void add_to(SandboxRules& rules) const;

    // lengths: neither data nor the targets of symbolic links.
    enum class Depth { all, without_data, lengths };
    enum class Order { fast, by_name };
    // Gives all files to the sink, of an archive from its start, in its own order. What
    // fails of single ones is told to `failures`.
    void give(EntrySink& sink, const CopyChoices& choices, Depth depth, Order order,
              Failures& failures, Progress& progress) const;

private:
    void give_directory(EntrySink& sink, const CopyChoices& choices, Depth depth, Order order,
                        Failures& failures, Progress& progress) const;

    std::string name_;  // for messages
    std::string directory_;
    Descriptor archive_;
};

}  // namespace tools::mkimage
