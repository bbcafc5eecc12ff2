// SPDX-License-Identifier: GPL-2.0-only
// The copy of a file on the host that an editor changes.
#pragma once

#include <string>

#include "common/descriptor.hpp"

namespace tools::lkl_tool {

// In a directory of its own that only the user can read. Throws ToolError.
class HostCopy {
public:
    // name: that of the file in the image, for editors that know files by their names.
    explicit HostCopy(const std::string& name);
    HostCopy(const HostCopy&) = delete;
    HostCopy& operator=(const HostCopy&) = delete;
    ~HostCopy();  // removes it, unless it is kept

    // Editors may put another file in its place: each call opens it anew.
    Descriptor open(int flags) const;
    std::string contents() const;
    const std::string& path() const { return path_; }
    void keep() { kept_ = true; }

    // Runs $VISUAL, $EDITOR or vi on it.
    void edit() const;

private:
    std::string directory_;
    std::string path_;
    bool kept_ = false;
};

}  // namespace tools::lkl_tool
