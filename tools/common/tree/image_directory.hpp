// SPDX-License-Identifier: GPL-2.0-only
// A directory of an image, which may be crafted: read as lkl::Directory does, to an end.
#pragma once

#include <utility>

#include <lkl/file.hpp>
#include <lkl/result.hpp>

#include "common/tree/repeated_entries.hpp"

namespace tools {

// One thread.
class ImageDirectory {
public:
    // Takes over an open directory, at its start.
    explicit ImageDirectory(lkl::File directory) : directory_(std::move(directory)) {}

    // The next entry; "." and ".." are left out. Null at the end. EFBIG: there would be
    // none, what has come comes again. Those that were given are all that there are then, some
    // of them many times.
    lkl::Result<const lkl::DirectoryEntry*> next();

    const lkl::File& file() const { return directory_.file(); }
    // Gives the directory's descriptor away; this object is empty afterwards.
    lkl::File release() { return directory_.release(); }

private:
    lkl::Directory directory_;
    RepeatedEntries repeated_;
};

}  // namespace tools
