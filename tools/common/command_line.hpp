// SPDX-License-Identifier: GPL-2.0-only
// The options that tools share, each with one name and one meaning.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include <CLI/CLI.hpp>

#include "common/copy_options.hpp"
#include "common/mounted_image.hpp"
#include "common/tree/exclude.hpp"
#include "common/tree/rewrite.hpp"

namespace tools {

// An option of -o that would be promised and not held. Throws ToolError,
// ExitCode::usage, if it is there.
void refuse_mount_option(const ImageRequest& image, const std::string& option,
                         const std::string& why);

class CommandLine {
public:
    CommandLine(const std::string& description, const std::string& name);

    CLI::App& app() { return app_; }

    // What --help ends with: a line each, with what it does behind "#".
    void add_examples(std::initializer_list<const char*> examples);

    // -P -t -o -p -m --no-sandbox -q: which file system of an image, and how it is mounted.
    void add_image_options(ImageRequest& image, bool& quiet);
    // -x
    void add_exclude(ExcludePatterns& exclude) { copy_options_.add_exclude(app_, exclude); }
    // --json
    void add_json(bool& json)
    {
        app_.add_flag("--json", json, "Print what was copied as JSON, and what was not");
    }
    // --owner --map-users --chmod --no-xattrs --fail-fast
    void add_copy_options(Rewrite& rewrite, bool& fail_fast)
    {
        copy_options_.add_rewrite(app_, rewrite, fail_fast);
    }

    // False: --help or --version was asked for and printed. Throws ToolError,
    // ExitCode::usage.
    bool parse(int argc, char** argv);

private:
    [[noreturn]] void fail_parse(const std::string& why) const;

    CLI::App app_;
    ImageRequest* image_ = nullptr;
    const CLI::Option* partition_given_ = nullptr;
    unsigned partition_ = 0;
    uint64_t memory_mib_ = 256;
    CopyOptions copy_options_;
};

}  // namespace tools
