// SPDX-License-Identifier: GPL-2.0-only
// A mounted image as commands see it: paths, and errors that name them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <lkl/file.hpp>

#include "common/mounted_image.hpp"
#include "common/tree/identity.hpp"

namespace tools::lkl_tool {

// A file by its name in a directory; the name is "." for a directory that has none
// there ("/", "..").
struct Place {
    lkl::File directory;
    std::string name;
};

// One thread. All functions throw ToolError: ExitCode::path where the path is at fault.
// A relative path begins at directory(); symbolic links and ".." stay in the image.
class Image {
public:
    // Mounts.
    Image(const ImageRequest& request, OpenedImage opened);

    MountedImage& mounted() { return *mounted_; }
    const lkl::File& root() const { return root_; }
    bool writable() const { return writable_; }
    // Of the file system, the kernel's name for it.
    const std::string& type() const { return mounted_->type(); }
    // The image's path on the host, and which file that is.
    const std::string& name() const { return name_; }
    const std::optional<Identity>& host_file() const { return host_file_; }

    // Where relative paths begin: absolute, "/" at first.
    const std::string& directory() const { return directory_; }
    // Takes any path to a directory.
    void change_directory(const std::string& path);
    // The path from the top of the image, as it was spelled.
    std::string absolute(const std::string& path) const;

    // Patterns of the shell become what they match; others stay as they are.
    std::vector<std::string> expand(const std::string& path) const;

    // Follows symbolic links, the last one too; flags: LKL_O_*.
    lkl::File open(const std::string& path, int flags) const;
    // Of the path itself, or with `follow` of what it links to.
    lkl::Stat stat(const std::string& path, bool follow, unsigned mask) const;
    // The path's last name is not followed and need not exist. With a slash at the end, as
    // the kernel has it, what exists is a directory, or a link to one, which is followed.
    Place place(const std::string& path) const;
    // The same for who renames or removes the name: a directory has one there.
    Place named(const std::string& path) const;
    // The file that the path leads to, which exists: the last symbolic link is followed.
    Place resolve(const std::string& path) const;
    // Where the path leads to, links followed, and no file is yet; one that is there is found.
    Place resolve_missing(const std::string& path) const;
    // The directory that the path leads to, symbolic links followed, as "." in itself.
    Place inside(const std::string& path) const;

    // What failed of a path.
    ToolError failure(const lkl::Error& error, std::string_view path) const;

    // Ends all use. Of an image that is written: on return all is on stable storage.
    void finish();

private:
    Place follow(const std::string& path, bool may_be_missing) const;

    std::string name_;
    std::optional<Identity> host_file_;
    bool writable_;
    std::unique_ptr<MountedImage> mounted_;
    lkl::File root_;
    std::string directory_ = "/";
};

// The text of an error without the operation: "No such file or directory".
std::string reason(const lkl::Error& error);

}  // namespace tools::lkl_tool
