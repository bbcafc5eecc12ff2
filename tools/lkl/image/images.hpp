// SPDX-License-Identifier: GPL-2.0-only
// The images of one command: all are opened, the tool shuts itself in, and only then
// they are looked at.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/sandbox/sandbox.hpp"
#include "lkl/command.hpp"
#include "lkl/image/image.hpp"

namespace tools::lkl_tool {

// One thread. Functions throw ToolError.
class Images {
public:
    explicit Images(const GlobalOptions& options) : options_(options) {}

    // Before shut_in(). image: a name as ImagePath has it. One that is named twice is opened
    // once; it is writable if any says so.
    void want(const std::string& image, bool writable);
    // Opens all and enters the sandbox. Of an image that cannot be opened, get() tells.
    void shut_in(SandboxRules rules = {});

    // Mounts it when it is first asked for. What has failed fails again.
    Image& get(const std::string& image);

    // Of every image, whatever comes of the others: see Image::finish(). Throws the first error,
    // and tells of further ones.
    void finish();

private:
    struct Wanted {
        ImageRequest request;
        std::unique_ptr<OpenedImage> opened;
        std::unique_ptr<Image> image;
        std::optional<ToolError> failure;  // why it is not there
    };

    // All of one file, of which several partitions may be wanted.
    void open_file(std::vector<Wanted*> file);
    void mount(const std::string& name, Wanted& wanted);

    const GlobalOptions& options_;
    std::map<std::string, Wanted> images_;  // by name
};

}  // namespace tools::lkl_tool
