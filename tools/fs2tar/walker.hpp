// SPDX-License-Identifier: GPL-2.0-only
// Walks a mounted file system and writes each of its files to the archive.
//
// Order: a directory; its files by inode number, which is where many file
// systems keep them on the disk, and by name where that is the same; then its
// subdirectories, likewise, each with all it contains. So the same image gives
// the same archive.
//
// Speed: system calls name files by their name in an open directory, so that
// neither depth nor length of a path costs anything or has a limit; while one
// file is archived, the next ones have been opened and their data asked for, so
// that the disk is read ahead of the archive across small files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <lkl/file.hpp>

#include "common/mounted_image.hpp"
#include "common/progress.hpp"
#include "fs2tar/attributes.hpp"
#include "fs2tar/exclude.hpp"
#include "fs2tar/label_list.hpp"
#include "fs2tar/output_stream.hpp"
#include "fs2tar/pax_writer.hpp"
#include "fs2tar/sparse.hpp"

namespace tools::fs2tar {

struct WalkOptions {
    ExcludePatterns exclude;
    LabelList* labels = nullptr;  // gets the SELinux labels if set
    bool quiet = false;           // no warnings
};

// One walk. Throws ToolError.
class Walker {
public:
    // All references are kept.
    Walker(MountedImage& image, const WalkOptions& options, OutputStream& out, Progress& progress);

    // Archives the directory `top` and everything below; members are named
    // relative to it.
    void run(lkl::File top);

private:
    // What makes a file the same file: hard links share it. Btrfs subvolumes
    // have devices of their own, bcachefs says the subvolume.
    struct Identity {
        uint64_t inode = 0;
        uint64_t device = 0;
        uint64_t subvolume = 0;
        bool operator==(const Identity&) const = default;
    };
    struct HashIdentity {
        size_t operator()(const Identity& id) const;
    };

    // An entry of a directory; its name stands in Level::names.
    struct Child {
        uint64_t inode;
        size_t name;  // offset
        lkl::FileType type;
    };

    // A directory on the way down. Its descriptor may be closed meanwhile.
    struct Level {
        lkl::File directory;
        size_t path_length = 0;  // of path_ with this directory's slash
        std::string names;       // each ended by a zero byte
        std::vector<Child> subdirectories;
        size_t next = 0;
    };

    // A file that is about to be archived.
    struct Prepared {
        const char* name = nullptr;
        lkl::Stat stat{};
        lkl::File file;  // of a regular file, unless it is an earlier one's link
        std::string link;
        Attributes attributes;
    };
    // How many are prepared ahead, and how many bytes of each are asked for.
    static constexpr size_t window = 32;
    static constexpr uint64_t ahead = 512 << 10;
    // Levels that keep their descriptor; the others find back by "..".
    static constexpr size_t open_levels = 64;

    void enter(lkl::File directory);
    void descend();
    void ascend();
    lkl::Stat archive_directory(const lkl::File& directory);
    std::vector<Child> read_entries(Level& level);
    void archive_files(Level& level, const std::vector<Child>& files);
    bool prepare(Level& level, const Child& child, Prepared& prepared);
    void read_attributes(Level& level, Prepared& prepared);
    void archive(Prepared& prepared);
    bool archive_as_link(const lkl::Stat& stat, const Attributes& attributes);
    void begin_member(Member& member, const lkl::Stat& stat, const Attributes& attributes);
    void archive_data(Prepared& prepared, Member& member);
    void copy(const lkl::File& file, uint64_t offset, uint64_t length);

    // The path of an entry of the level, which becomes path_.
    void set_path(const Level& level, const char* name);
    static Identity identity(const lkl::Stat& stat);
    // What to throw for an error at path_.
    ToolError failure(const lkl::Error& error) const;
    template <typename T>
    T check(lkl::Result<T> result) const;

    MountedImage& image_;
    const WalkOptions& options_;
    OutputStream& out_;
    Progress& progress_;
    PaxWriter writer_{out_};
    AttributeReader attribute_reader_;
    std::optional<HoleFinder> hole_finder_;

    std::string path_;  // of what is being archived, relative to the top
    std::vector<Level> levels_;
    std::vector<Prepared> prepared_{window};
    std::vector<Extent> extents_;
    Attributes directory_attributes_;
    bool working_directory_set_ = false;  // it is the last level

    struct Link {
        std::string path;    // where the file is in the archive
        uint64_t remaining;  // names of it that are still to come
    };
    std::unordered_map<Identity, Link, HashIdentity> links_;
    std::unordered_set<Identity, HashIdentity> directories_;  // that are not empty
};

}  // namespace tools::fs2tar
