// SPDX-License-Identifier: GPL-2.0-only
#include "common/copy_options.hpp"

#include "common/report.hpp"
#include "common/umask.hpp"

namespace tools {

namespace {

[[noreturn]] void fail(const std::string& text)
{
    throw ToolError(ExitCode::usage, text);
}

}  // namespace

void CopyOptions::add_exclude(CLI::App& app, ExcludePatterns& exclude)
{
    exclude_ = &exclude;
    app.add_option("-x,--exclude", patterns_, "Leave out what matches; may be repeated")
        ->option_text("PATTERN")
        ->allow_extra_args(false)
        ->take_all();
}

void CopyOptions::add_rewrite(CLI::App& app, Rewrite& rewrite, bool& fail_fast)
{
    rewrite_ = &rewrite;
    app.add_option("--owner", owner_, "Owner and group of all files")->option_text("UID:GID");
    app.add_option("--map-users", ids_, "Turn user and group IDs into others; may be repeated")
        ->option_text("FROM:TO[:COUNT]")
        ->allow_extra_args(false)
        ->take_all();
    app.add_option("--chmod", mode_, "Change permissions, as chmod(1): u=rwX,go=rX or 644")
        ->option_text("MODE");
    app.add_flag("--no-xattrs", no_attributes_, "Without extended attributes and ACLs");
    app.add_flag("--fail-fast", fail_fast, "Stop at the first failure");
}

void CopyOptions::take_rewrite()
{
    if (!owner_.empty()) {
        rewrite_->owner = parse_owner(owner_);
        if (!rewrite_->owner)
            fail("--owner " + escaped(owner_) + ": is not UID:GID");
    }
    for (const std::string& text : ids_) {
        const auto range = parse_id_range(text);
        if (!range)
            fail("--map-users " + escaped(text) + ": is not FROM:TO[:COUNT]");
        rewrite_->ids.push_back(*range);
    }
    if (!mode_.empty()) {
        const auto mode = ModeChange::parse(mode_, process_umask());
        if (!mode)
            fail("--chmod " + escaped(mode_) + ": is no mode");
        rewrite_->mode = *mode;
    }
    rewrite_->attributes = !no_attributes_;
}

void CopyOptions::take()
{
    for (const std::string& pattern : patterns_)
        exclude_->add(pattern);
    if (rewrite_ != nullptr)
        take_rewrite();
}

}  // namespace tools
