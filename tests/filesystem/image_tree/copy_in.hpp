// SPDX-License-Identifier: GPL-2.0-only
// Copies a directory of the host into a directory of a kernel, with all that
// `cp -a` keeps: owners, modes, times in nanoseconds, hard links, symbolic links,
// devices, FIFOs, sockets, extended attributes (ACLs and labels are such), holes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <sys/stat.h>

#include <lkl/file.hpp>
#include <lkl/kernel.hpp>

namespace image_tree {

// One thing that was not copied. The rest of the tree still is.
struct CopyFailure {
    std::string path;       // below the directory that is copied
    std::string operation;  // "create", "write", "owner", "attribute user.x", ...
    int code;               // errno, of the kernel or of the host
};

class CopyIn {
public:
    using Report = std::function<void(const CopyFailure&)>;

    // Both outlive the object. Directories whose paths are in `subvolumes` are made as
    // subvolumes of Btrfs.
    CopyIn(lkl::Kernel& kernel, const lkl::File& target, std::set<std::string> subvolumes,
           Report report);

    // Copies what is in `source`, a directory of the host, into the target, and
    // the directory's own attributes onto it.
    void run(int source);

private:
    // A directory that is being copied: both sides, and where it is.
    struct Place {
        int source;
        const lkl::File& target;
        std::string path;  // ends in '/' unless it is the top
    };

    void copy_entries(const Place& place);
    void copy_entry(const Place& place, const char* name);
    void copy_directory(const Place& place, const char* name, const struct stat& status);
    lkl::Result<void> make_directory(const Place& place, const char* name);
    void copy_file(const Place& place, const char* name, const struct stat& status);
    bool copy_data(int source, const lkl::File& target, const struct stat& status,
                   const std::string& path);
    bool make_node(const Place& place, const char* name, const struct stat& status);
    bool link_to_first(const Place& place, const char* name, const struct stat& status);
    void set_attributes(const Place& place, const char* name, const struct stat& status);
    void copy_extended(const Place& place, const char* name, const std::string& path);
    bool check(long result, const std::string& path, const char* operation);
    void fail(const std::string& path, const std::string& operation, int code);

    lkl::Kernel& kernel_;
    const lkl::File& target_;
    std::set<std::string> subvolumes_;
    Report report_;
    std::vector<std::byte> buffer_;
    // The first name, in the target, of files with several.
    std::map<std::pair<dev_t, ino_t>, std::string> linked_;
};

}  // namespace image_tree
