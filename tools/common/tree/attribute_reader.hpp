// SPDX-License-Identifier: GPL-2.0-only
// The extended attributes of a file.
#pragma once

#include <cstddef>
#include <vector>

#include <lkl/result.hpp>

#include "common/tree/entry.hpp"

namespace tools {

// Reads attributes; keeps its buffers from file to file. One thread. File is
// lkl::File or HostFile.
template <typename File>
class AttributeReader {
public:
    AttributeReader();

    // Of an open file.
    lkl::Result<void> read(const File& file, std::vector<Attribute>& attributes);
    // Of a name in a directory, symbolic links not followed.
    lkl::Result<void> read_at(const File& directory, const char* name,
                              std::vector<Attribute>& attributes);

private:
    template <typename List, typename Get>
    lkl::Result<void> read_with(const List& list, const Get& get,
                                std::vector<Attribute>& attributes);

    std::vector<char> names_;
    std::vector<std::byte> value_;
};

}  // namespace tools
