// SPDX-License-Identifier: GPL-2.0-only
// The command line of lkl mkimage.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/copy_options.hpp"
#include "lkl/mkimage/source.hpp"
#include "lkl/mkimage/specification.hpp"

namespace tools::mkimage {

// Must stay where it is.
class Options {
public:
    explicit Options(CLI::App& app);
    Options(const Options&) = delete;
    Options& operator=(const Options&) = delete;

    // After the parse: what is to be made; checked. Throws ToolError, ExitCode::usage.
    ImageSpecification specification();

    const std::string& image() const { return image_; }
    bool json() const { return json_; }
    CopyChoices copy() const;

private:
    bool described() const { return !partitions_.empty() || !layout_.empty(); }
    void take_paths(ImageSpecification& result);
    void take_volume(Volume& volume);

    std::vector<std::string> paths_;
    Volume volume_;
    CLI::Option* type_given_ = nullptr;
    std::string size_;
    bool gpt_ = false;
    bool mbr_ = false;
    std::vector<std::string> partitions_;
    std::string layout_;
    bool json_ = false;
    CopyOptions copy_options_;
    ExcludePatterns exclude_;
    Rewrite rewrite_;
    bool fail_fast_ = false;
    std::string image_;
};

}  // namespace tools::mkimage
