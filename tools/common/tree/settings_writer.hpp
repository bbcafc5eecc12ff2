// SPDX-License-Identifier: GPL-2.0-only
// Gives files that were made their owner, extended attributes, mode and times.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <lkl/file.hpp>
#include <lkl/result.hpp>

#include "common/tree/entry.hpp"
#include "common/tree/error_texts.hpp"
#include "common/tree/failures.hpp"
#include "common/tree/identity.hpp"

namespace tools {

// Who makes files, and for whom.
struct WriteOptions {
    // root may do all; what others may not do is left out with a warning: owners,
    // devices, attributes of the system.
    uint32_t uid = 0;
    uint32_t gid = 0;
    // Nobody else looks at the tree: files may have their mode before their owner.
    bool private_tree = false;
    // Entries may come in any order, a directory again after it was left.
    bool any_order = false;
    // Files that are not replaced, nor links to them: the image that the tree is of.
    std::vector<Identity> kept = {};

    bool root() const { return uid == 0; }
};

// How a file that was made differs from what it is to be.
struct MadeAs {
    static constexpr uint32_t unknown_mode = ~0u;
    uint32_t mode = unknown_mode;
    // Its group or ACLs may come from the directory that it was made in.
    bool inherits = false;
};

lkl::FileTimes file_times(const Entry& entry);

// One thread. What cannot be set is told to `failures`, or warned of where the file
// system cannot hold it or the user may not set it. File is lkl::File or HostFile.
template <typename File>
class SettingsWriter {
public:
    // All references are kept.
    SettingsWriter(const WriteOptions& options, const ErrorTexts& texts, Failures& failures)
        : options_(options), texts_(texts), failures_(failures)
    {
    }

    // path: for messages. An error was not told: a file system without room or in trouble
    // may have failed to write the data, too. (Not of extended attributes, which may have no
    // room where data have.)
    lkl::Result<void> apply(const File& file, const Entry& entry, MadeAs made,
                            std::string_view path);
    // To a name in a directory, which is not followed.
    void apply_at(const File& directory, const char* name, const Entry& entry, MadeAs made,
                  std::string_view path);

private:
    template <typename Target>
    lkl::Result<void> apply_to(const Target& target, const Entry& entry, MadeAs made,
                               std::string_view path);
    template <typename Target>
    lkl::Result<bool> set_owner(const Target& target, const Entry& entry, MadeAs made,
                                std::string_view path);
    template <typename Target>
    bool set_attributes(const Target& target, const Entry& entry, MadeAs made,
                        std::string_view path);
    lkl::Result<void> judge(const char* kind, lkl::Result<void> set, std::string_view path);

    const WriteOptions& options_;
    const ErrorTexts& texts_;
    Failures& failures_;
};

}  // namespace tools
