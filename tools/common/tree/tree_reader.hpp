// SPDX-License-Identifier: GPL-2.0-only
// Walks a tree, of a mounted image or of the host, and gives each of its files to a
// sink.
//
// Order: a directory; its files by inode number, which is where many file
// systems keep them on the disk, and by name where that is the same; then its
// subdirectories, likewise, each with all it contains. So the same image gives
// the same archive. To a sink that is behind, further names of files come behind all other
// files of their directory, so that it is waited for once.
//
// The first name of a file that the sink has got is what the others are links to, however
// many there are: a count that a damaged image gives may be wrong.
//
// Others may change files of the host meanwhile. What was opened is copied, with the size,
// owner and mode that it has then; that it was written to before its data were read is told.
//
// Speed: system calls name files by their name in an open directory, so that
// neither depth nor length of a path costs anything or has a limit; while one
// file is copied, the next ones of an image have been opened and their data asked
// for, so that the disk is read ahead across small files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include <lkl/file.hpp>

#include "common/progress.hpp"
#include "common/tree/attribute_reader.hpp"
#include "common/tree/entry.hpp"
#include "common/tree/entry_sink.hpp"
#include "common/tree/error_texts.hpp"
#include "common/tree/exclude.hpp"
#include "common/tree/failures.hpp"
#include "common/tree/given_files.hpp"
#include "common/tree/given_links.hpp"
#include "common/tree/hole_finder.hpp"
#include "common/tree/host_file.hpp"
#include "common/tree/identity.hpp"
#include "common/tree/rewrite.hpp"

namespace tools {

struct ReadOptions {
    // A mounted image: it is read ahead of the sink, its pages are not kept, and two
    // names for one directory are damage.
    bool image = false;
    bool link_attributes = false;  // attributes also of second names of a file
    bool data = true;              // false: what the files are, without their data
    bool links = true;             // false: of a symbolic link the length alone
    bool by_name = false;          // in the order of names, wherever the files are on the disk
    ExcludePatterns exclude;
    Rewrite rewrite;
    std::optional<Identity> leave_out;  // a file of the tree that is refused
    std::optional<Identity> unseen;     // one that is passed over, as if it were not there
};

// Reads trees, one after the other, whose files may be linked to each other. One
// thread. What fails of a single file is told to `failures`; ToolError is thrown
// when nothing can follow.
template <typename File>
class TreeReader {
public:
    // All references are kept.
    TreeReader(const ReadOptions& options, const ErrorTexts& texts, Failures& failures,
               Progress& progress, EntrySink& sink);

    // What all sources are called that will be read, before the first one; empty: as its top.
    // Where some have one name, no file of a later one replaces another file of an earlier one.
    // Not needed for a single source.
    void expect(const std::vector<std::string>& names) { given_.expect(names); }

    // The directory `top`, and everything below, as `path` in the sink's tree; empty:
    // as its top. shown: what messages call it, empty or a path.
    void read_directory(File top, const std::string& path, const std::string& shown);
    // A file of any kind, `name` in a directory, likewise; what it contains if it is a
    // directory.
    void read(File directory, const std::string& name, const std::string& path,
              const std::string& shown);

private:
    using Directory = typename DirectoryOf<File>::Type;

    // An entry of a directory; its name stands in Level::names.
    struct Child {
        uint64_t inode;
        size_t name;  // offset
        lkl::FileType type;
    };

    // A directory on the way down. Its descriptor may be closed meanwhile.
    struct Level {
        File directory;
        Identity identity;
        size_t path_length = 0;  // of path_ with this directory's slash
        std::string names;       // each ended by a zero byte
        std::vector<Child> subdirectories;
        size_t next = 0;
    };

    // A file that is about to be copied.
    struct Prepared {
        const char* name = nullptr;
        lkl::Stat stat{};
        bool opened = false;  // not, if it may be an earlier one's link: without what follows
        File file;            // of a regular file
        std::string link;
        std::vector<Attribute> attributes;
    };
    // How many are prepared ahead, and how many bytes of each are asked for.
    static constexpr size_t window = 32;
    static constexpr uint64_t ahead = 512 << 10;
    // Levels that keep their descriptor; the others find back by "..".
    static constexpr size_t open_levels = 64;

    // Thrown for what concerns a single file, to where the next one begins.
    struct FileFailure {
        ToolError error;
    };

    void start(const std::string& path, const std::string& shown);
    void walk();
    void enter(File directory);
    void descend();
    void ascend();
    void check_decrypted(const lkl::Stat& stat) const;
    lkl::Stat give_directory(const File& directory);
    std::vector<Child> read_entries(Level& level);
    void give_files(Level& level, const std::vector<Child>& files);
    bool prepare(Level& level, const Child& child, Prepared& prepared);
    bool is_wanted(const lkl::Stat& stat) const;
    void open(const Level& level, Prepared& prepared);
    void look_at_opened(Prepared& prepared) const;
    void read_attributes(const Level& level, Prepared& prepared);
    void give_later(Level& level, const Child& child);
    void give(const Level& level, Prepared& prepared);
    bool may_be_link(const lkl::Stat& stat) const;
    bool give_as_link(Prepared& prepared);
    bool give_as_file(Prepared& prepared);
    void begin(EntryType type, const lkl::Stat& stat, std::vector<Attribute>& attributes);
    bool give_data(Prepared& prepared);
    void check_unchanged(const Prepared& prepared) const;
    void give_extent(const File& file, Extent extent);
    void copy(const File& file, uint64_t offset, uint64_t length);
    void copy_to_end(const File& file);
    size_t read_some(const File& file, std::span<std::byte> room, uint64_t offset);

    // The path of an entry of the level, which becomes path_.
    void set_path(const Level& level, const char* name);
    // Calls the function; FileFailure goes to failures_. False then.
    template <typename Function>
    bool guarded(Function&& function);
    template <typename T>
    T check(lkl::Result<T> result) const;
    // What messages call path_.
    std::string shown() const;

    const ReadOptions& options_;
    const ErrorTexts& texts_;
    Failures& failures_;
    Progress& progress_;
    EntrySink& sink_;
    AttributeReader<File> attribute_reader_;
    std::optional<HoleFinder<File>> hole_finder_;

    std::string path_;   // of what is being copied, with a slash if it is a directory
    std::string shown_;  // what messages say instead of its first base_length_ bytes
    size_t base_length_ = 0;
    std::vector<Level> levels_;
    std::vector<Prepared> prepared_{window};
    Entry entry_;
    std::vector<Attribute> directory_attributes_;

    GivenLinks links_;
    std::unordered_set<Identity, HashIdentity> directories_;  // that are not empty
    GivenFiles given_;
};

}  // namespace tools
