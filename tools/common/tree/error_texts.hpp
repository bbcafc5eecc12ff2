// SPDX-License-Identifier: GPL-2.0-only
// How a failed call is told: by where the file is, which the call does not know.
#pragma once

#include <string>
#include <string_view>

#include <lkl/result.hpp>

#include "common/report.hpp"

namespace tools {

// Any thread.
class ErrorTexts {
public:
    virtual ~ErrorTexts() = default;
    // where: the path in the tree. The code is ExitCode::kernel when nothing works
    // any more.
    virtual ToolError failure(const lkl::Error& error, std::string_view where) const = 0;
    // For what no call reports; why: "is linked twice".
    virtual ToolError damaged(std::string_view where, std::string_view why) const = 0;
};

// Of files below a directory of what other texts speak of.
class TextsBelow final : public ErrorTexts {
public:
    // The reference is kept. directory: with or without slashes at its ends.
    TextsBelow(const ErrorTexts& texts, std::string_view directory) : texts_(texts)
    {
        while (directory.starts_with('/'))
            directory.remove_prefix(1);
        while (directory.ends_with('/'))
            directory.remove_suffix(1);
        if (!directory.empty() && directory != ".")
            prefix_ = std::string(directory) + '/';
    }
    ToolError failure(const lkl::Error& error, std::string_view where) const override
    {
        return texts_.failure(error, prefix_ + std::string(where));
    }
    ToolError damaged(std::string_view where, std::string_view why) const override
    {
        return texts_.damaged(prefix_ + std::string(where), why);
    }

private:
    const ErrorTexts& texts_;
    std::string prefix_;
};

// Of files of the host.
class HostErrorTexts final : public ErrorTexts {
public:
    // directory: what stands before each path, empty or with a slash at its end.
    // code: of the errors.
    HostErrorTexts(std::string directory, ExitCode code)
        : directory_(std::move(directory)), code_(code)
    {
    }
    ToolError failure(const lkl::Error& error, std::string_view where) const override
    {
        return ToolError(code_, escaped(path(where)) + ": cannot " + escaped(error.what))
            .about(path(where));
    }
    ToolError damaged(std::string_view where, std::string_view why) const override
    {
        return ToolError(code_, escaped(path(where)) + ": " + std::string(why) +
                                    ": changed while it was read")
            .about(path(where));
    }

private:
    std::string path(std::string_view where) const
    {
        return directory_ + std::string(where.empty() ? "." : where);
    }

    const std::string directory_;
    const ExitCode code_;
};

}  // namespace tools
