// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/tree_reader.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/linux/fadvise.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/stat.h>

#include "common/report.hpp"
#include "common/tree/drop_behind.hpp"
#include "common/tree/host_file.hpp"

namespace tools {

namespace {

constexpr int open_directory = LKL_O_RDONLY | LKL_O_DIRECTORY | LKL_O_NOFOLLOW;
constexpr int open_file = LKL_O_RDONLY | LKL_O_NOFOLLOW | LKL_O_NONBLOCK;

constexpr uint32_t type_mask = LKL_S_IFMT;
// From here on data are worth a page-aligned buffer of their own, in bytes.
constexpr uint64_t large = 1 << 20;
// What is shared with another file at a time, in bytes: a multiple of all sizes of blocks.
constexpr uint64_t most_shared = 64 << 20;
// Of a symbolic link, whatever a damaged image says: PATH_MAX.
constexpr uint64_t longest_link = 4096;

lkl::FileType file_type(const lkl::Stat& stat)
{
    return static_cast<lkl::FileType>((stat.stx_mode & type_mask) >> 12);
}

Time to_time(const struct lkl_statx_timestamp& time)
{
    return {time.tv_sec, time.tv_nsec};
}

template <typename Entries>
void sort_entries(Entries& entries, const std::string& names, bool by_name)
{
    std::sort(entries.begin(), entries.end(), [&names, by_name](const auto& a, const auto& b) {
        if (!by_name && a.inode != b.inode)
            return a.inode < b.inode;
        return std::strcmp(names.c_str() + a.name, names.c_str() + b.name) < 0;
    });
}

// Of what is sorted, each entry once.
template <typename Entries>
void drop_repeated(Entries& entries, const std::string& names)
{
    const auto end =
        std::unique(entries.begin(), entries.end(), [&names](const auto& a, const auto& b) {
            return a.inode == b.inode &&
                   std::strcmp(names.c_str() + a.name, names.c_str() + b.name) == 0;
        });
    entries.erase(end, entries.end());
}

}  // namespace

template <typename File>
TreeReader<File>::TreeReader(const ReadOptions& options, const ErrorTexts& texts,
                             Failures& failures, Progress& progress, EntrySink& sink)
    : options_(options), texts_(texts), failures_(failures), progress_(progress), sink_(sink)
{
}

template <typename File>
std::string TreeReader<File>::shown() const
{
    const std::string text = shown_ + path_.substr(std::min(base_length_, path_.size()));
    return text.empty() ? "." : text;
}

template <typename File>
template <typename T>
T TreeReader<File>::check(lkl::Result<T> result) const
{
    if (!result)
        throw FileFailure{texts_.failure(result.error(), shown())};
    if constexpr (!std::is_void_v<T>)
        return *std::move(result);
}

template <typename File>
template <typename Function>
bool TreeReader<File>::guarded(Function&& function)
{
    try {
        function();
        return true;
    } catch (const FileFailure& failure) {
        failures_.add(failure.error);
        return false;
    }
}

template <typename File>
void TreeReader<File>::set_path(const Level& level, const char* name)
{
    path_.resize(level.path_length);
    path_ += name;
}

template <typename File>
void TreeReader<File>::start(const std::string& path, const std::string& shown)
{
    path_ = path;
    shown_ = shown;
    base_length_ = path.size();
    levels_.clear();
    // A source may contain another one.
    directories_.clear();
    given_.start(path);
}

template <typename File>
void TreeReader<File>::read_directory(File top, const std::string& path, const std::string& shown)
{
    start(path, shown);
    if (!path_.empty()) {
        path_ += '/';
        while (shown_.ends_with('/'))
            shown_.pop_back();
    } else if (!shown_.empty()) {
        // Nothing stands before the names in path_.
        if (!shown_.ends_with('/'))
            shown_ += '/';
    }
    guarded([&] {
        hole_finder_.emplace(check(top.stat_file_system()));
        enter(std::move(top));
    });
    walk();
}

template <typename File>
void TreeReader<File>::read(File directory, const std::string& name, const std::string& path,
                            const std::string& shown)
{
    start(path, shown);
    Level& level = levels_.emplace_back();
    level.names = name + '\0';
    // The name in the directory is not the last one of the path.
    level.path_length = path.size();
    if (!guarded([&] {
            hole_finder_.emplace(check(directory.stat_file_system()));
            const lkl::Stat stat = check(directory.stat_at(name.c_str(), identity_mask));
            if (file_type(stat) == lkl::FileType::directory) {
                File below = check(directory.open_at(name.c_str(), open_directory));
                levels_.clear();
                path_ += '/';
                enter(std::move(below));
                return;
            }
            level.directory = std::move(directory);
            Prepared& prepared = prepared_.front();
            if (prepare(level, Child{stat.stx_ino, 0, file_type(stat)}, prepared))
                give(level, prepared);
            prepared.file = {};
            levels_.clear();
        }))
        levels_.clear();
    walk();
}

// All below the levels that are there.
template <typename File>
void TreeReader<File>::walk()
{
    while (!levels_.empty()) {
        if (levels_.back().next < levels_.back().subdirectories.size())
            descend();
        else
            ascend();
    }
}

// Gives the directory path_, which ends in a slash, and its files.
template <typename File>
void TreeReader<File>::enter(File directory)
{
    const lkl::Stat stat = give_directory(directory);
    Level& level = levels_.emplace_back();
    level.directory = std::move(directory);
    level.identity = identity_of(stat);
    level.path_length = path_.size();
    check_decrypted(stat);
    const std::vector<Child> files = read_entries(level);
    // Two names for one directory are damage; where they lead to each other
    // there would be no end. Empty ones are harmless, and Btrfs shows many of
    // one number in the place of subvolumes that a snapshot does not contain.
    if (options_.image && !(files.empty() && level.subdirectories.empty()) &&
        !directories_.insert(level.identity).second) {
        level.subdirectories.clear();
        throw FileFailure{texts_.damaged(shown(), "is linked twice")};
    }
    give_files(level, files);
    if (levels_.size() > open_levels)
        levels_[levels_.size() - 1 - open_levels].directory = {};
}

template <typename File>
void TreeReader<File>::descend()
{
    Level& level = levels_.back();
    const char* const name = level.names.c_str() + level.subdirectories[level.next++].name;
    set_path(level, name);
    guarded([&] {
        File directory = check(level.directory.open_at(name, open_directory));
        path_ += '/';
        enter(std::move(directory));
    });
}

template <typename File>
void TreeReader<File>::ascend()
{
    const Level finished = std::move(levels_.back());
    levels_.pop_back();
    if (levels_.empty() || levels_.back().directory.is_open())
        return;
    // The way up is the way that led down, unless somebody moves directories.
    path_.resize(levels_.back().path_length);
    auto parent = finished.directory.open_at("..", open_directory);
    if (!parent)
        throw texts_.failure(parent.error(), shown());
    const auto stat = parent->stat(identity_mask);
    if (!stat)
        throw texts_.failure(stat.error(), shown());
    if (identity_of(*stat) != levels_.back().identity)
        throw texts_.damaged(shown(), "is not where it was");
    levels_.back().directory = *std::move(parent);
}

// Nobody gives a tool the key of what fscrypt has encrypted in an image. Without it, names
// and the targets of symbolic links read as what they are not.
template <typename File>
void TreeReader<File>::check_decrypted(const lkl::Stat& stat) const
{
    if (!options_.image || (stat.stx_attributes & LKL_STATX_ATTR_ENCRYPTED) == 0)
        return;
    const bool directory = file_type(stat) == lkl::FileType::directory;
    throw FileFailure{texts_.failure(
        lkl::Error{LKL_ENOKEY, directory ? "read what it holds: it is encrypted, by fscrypt"
                                         : "read it: it is encrypted, by fscrypt"},
        shown())};
}

// Reads the directory: files are returned, subdirectories go into the level.
template <typename File>
auto TreeReader<File>::read_entries(Level& level) -> std::vector<Child>
{
    Directory directory(std::move(level.directory));
    std::vector<Child> files;
    const bool whole = guarded([&] {
        while (const lkl::DirectoryEntry* const entry = check(directory.next())) {
            if (!options_.exclude.empty()) {
                set_path(level, entry->name);
                if (options_.exclude.match(path_))
                    continue;
            }
            Child child{entry->inode, level.names.size(), entry->type};
            if (child.type == lkl::FileType::unknown) {
                set_path(level, entry->name);
                if (!guarded([&] {
                        child.type = file_type(check(directory.file().stat_at(entry->name)));
                    }))
                    continue;
            }
            level.names.append(entry->name);
            level.names += '\0';
            (child.type == lkl::FileType::directory ? level.subdirectories : files)
                .push_back(child);
            path_.resize(level.path_length);
        }
    });
    path_.resize(level.path_length);
    level.directory = directory.release();
    sort_entries(files, level.names, options_.by_name);
    sort_entries(level.subdirectories, level.names, options_.by_name);
    // A directory without an end has them many times.
    if (!whole) {
        drop_repeated(files, level.names);
        drop_repeated(level.subdirectories, level.names);
    }
    return files;
}

template <typename File>
void TreeReader<File>::give_files(Level& level, const std::vector<Child>& files)
{
    // A ring: [done, next) are prepared, those that turned out to be nothing for
    // the sink without a name. Without reading ahead there is one at a time.
    const size_t in_advance = options_.image ? window : 1;
    std::vector<Child> later;
    size_t next = 0;
    for (size_t done = 0; done < files.size(); done++) {
        for (; next < files.size() && next < done + in_advance; next++) {
            Prepared& prepared = prepared_[next % window];
            set_path(level, level.names.c_str() + files[next].name);
            bool wanted = false;
            guarded([&] { wanted = prepare(level, files[next], prepared); });
            if (!wanted)
                prepared.name = nullptr;
        }
        Prepared& prepared = prepared_[done % window];
        if (prepared.name != nullptr && sink_.is_behind() && may_be_link(prepared.stat)) {
            later.push_back(files[done]);
        } else if (prepared.name != nullptr) {
            set_path(level, prepared.name);
            guarded([&] { give(level, prepared); });
            if (options_.image)
                (void)prepared.file.advise(0, 0, LKL_POSIX_FADV_DONTNEED);
        }
        prepared.file = {};
    }
    for (const Child& child : later)
        give_later(level, child);
    path_.resize(level.path_length);
}

template <typename File>
void TreeReader<File>::give_later(Level& level, const Child& child)
{
    Prepared& prepared = prepared_.front();
    set_path(level, level.names.c_str() + child.name);
    guarded([&] {
        if (prepare(level, child, prepared))
            give(level, prepared);
    });
    prepared.file = {};
}

// Looks at a file, and opens it. False: it does not go into the sink.
template <typename File>
bool TreeReader<File>::prepare(Level& level, const Child& child, Prepared& prepared)
{
    prepared.name = level.names.c_str() + child.name;
    prepared.opened = false;
    prepared.attributes.clear();
    prepared.stat = check(level.directory.stat_at(prepared.name, identity_mask));
    const lkl::Stat& stat = prepared.stat;
    switch (file_type(stat)) {
    case lkl::FileType::directory:
        // The entry's type lied.
        level.subdirectories.push_back(child);
        return false;
    case lkl::FileType::socket:
        if (sink_.holds_sockets())
            break;
        failures_.warn(escaped(shown()) + ": socket: left out");
        return false;
    default:
        break;
    }
    if (!is_wanted(stat))
        return false;
    check_decrypted(stat);
    if (options_.link_attributes || !may_be_link(stat))
        open(level, prepared);
    return true;
}

// False: it is passed over.
template <typename File>
bool TreeReader<File>::is_wanted(const lkl::Stat& stat) const
{
    if (options_.leave_out == identity_of(stat))
        throw FileFailure{
            ToolError(ExitCode::path, escaped(shown()) + ": is the image itself").about(shown())};
    return options_.unseen != identity_of(stat);
}

// Opens a file and asks for its data, or reads what it has in their place.
template <typename File>
void TreeReader<File>::open(const Level& level, Prepared& prepared)
{
    const lkl::Stat& stat = prepared.stat;
    if (file_type(stat) == lkl::FileType::regular) {
        prepared.file = check(level.directory.open_at(prepared.name, open_file));
        // Nobody else changes an image.
        if constexpr (std::is_same_v<File, HostFile>)
            look_at_opened(prepared);
        // Only advice: what fails here fails again, with its reason, in read().
        if (options_.image && options_.data && stat.stx_size > 0)
            (void)prepared.file.advise(0, std::min<uint64_t>(stat.stx_size, ahead),
                                       LKL_POSIX_FADV_WILLNEED);
    } else if (file_type(stat) == lkl::FileType::symbolic_link) {
        // Reading it gives it a new time of access, which the next walk would take.
        prepared.link = options_.links
                            ? check(level.directory.read_link_at(prepared.name))
                            : std::string(std::min<uint64_t>(stat.stx_size, longest_link), ' ');
    }
    read_attributes(level, prepared);
    prepared.opened = true;
}

// Another file may have got the name since.
template <typename File>
void TreeReader<File>::look_at_opened(Prepared& prepared) const
{
    prepared.stat = check(prepared.file.stat(identity_mask));
    if (file_type(prepared.stat) != lkl::FileType::regular || !is_wanted(prepared.stat))
        throw FileFailure{texts_.damaged(shown(), "is no regular file any more")};
}

template <typename File>
void TreeReader<File>::read_attributes(const Level& level, Prepared& prepared)
{
    if (!options_.rewrite.attributes)
        return;
    if (prepared.file.is_open())
        check(attribute_reader_.read(prepared.file, prepared.attributes));
    else
        // There is no descriptor of a symbolic link or a device that these calls take.
        check(attribute_reader_.read_at(level.directory, prepared.name, prepared.attributes));
}

template <typename File>
void TreeReader<File>::give(const Level& level, Prepared& prepared)
{
    if (!given_.add(path_, identity_of(prepared.stat)))
        throw FileFailure{
            ToolError(ExitCode::path,
                      escaped(shown()) + ": has the name of a file of an earlier source: left out")
                .about(shown())};
    links_.take(path_, identity_of(prepared.stat));
    if (may_be_link(prepared.stat) && give_as_link(prepared))
        return;
    if (!prepared.opened)
        open(level, prepared);
    if (give_as_file(prepared) && prepared.stat.stx_nlink > 1)
        links_.add(identity_of(prepared.stat), {entry_.path, sink_.begun()});
}

// The file went to the sink under another name.
template <typename File>
bool TreeReader<File>::may_be_link(const lkl::Stat& stat) const
{
    return stat.stx_nlink > 1 && links_.find(identity_of(stat)) != nullptr;
}

// False: it is not there under that name; or this very name came before, and is to be made again.
template <typename File>
bool TreeReader<File>::give_as_link(Prepared& prepared)
{
    const Identity file = identity_of(prepared.stat);
    const GivenLinks::Link* const link = links_.find(file);
    if (link->path == path_ || !sink_.made(link->path, link->number)) {
        links_.forget(file);
        return false;
    }
    entry_.link = link->path;
    begin(EntryType::hard_link, prepared.stat, prepared.attributes);
    sink_.end();
    return true;
}

// False: not all of it could be read, which was told.
template <typename File>
bool TreeReader<File>::give_as_file(Prepared& prepared)
{
    const lkl::Stat& stat = prepared.stat;
    EntryType type = EntryType::fifo;
    switch (file_type(stat)) {
    case lkl::FileType::regular:
        return give_data(prepared);
    case lkl::FileType::symbolic_link:
        type = EntryType::symbolic_link;
        entry_.link = prepared.link;
        break;
    case lkl::FileType::character_device:
        type = EntryType::character_device;
        break;
    case lkl::FileType::block_device:
        type = EntryType::block_device;
        break;
    case lkl::FileType::fifo:
        break;
    case lkl::FileType::socket:
        type = EntryType::socket;
        break;
    default:
        throw FileFailure{texts_.damaged(shown(), "is of no known type of file")};
    }
    begin(type, stat, prepared.attributes);
    sink_.end();
    return true;
}

template <typename File>
lkl::Stat TreeReader<File>::give_directory(const File& directory)
{
    const lkl::Stat stat = check(directory.stat(identity_mask));
    directory_attributes_.clear();
    if (options_.rewrite.attributes)
        check(attribute_reader_.read(directory, directory_attributes_));
    begin(EntryType::directory, stat, directory_attributes_);
    sink_.end();
    return stat;
}

// Fills in what all kinds of files share; the attributes are taken.
template <typename File>
void TreeReader<File>::begin(EntryType type, const lkl::Stat& stat,
                             std::vector<Attribute>& attributes)
{
    entry_.type = type;
    entry_.path = path_;
    if (entry_.path.ends_with('/'))
        entry_.path.pop_back();
    if (type != EntryType::symbolic_link && type != EntryType::hard_link)
        entry_.link.clear();
    entry_.mode = stat.stx_mode & ~type_mask;
    entry_.uid = stat.stx_uid;
    entry_.gid = stat.stx_gid;
    entry_.size = type == EntryType::regular ? stat.stx_size : 0;
    entry_.mtime = to_time(stat.stx_mtime);
    entry_.atime = to_time(stat.stx_atime);
    entry_.ctime = to_time(stat.stx_ctime);
    entry_.device_major = stat.stx_rdev_major;
    entry_.device_minor = stat.stx_rdev_minor;
    entry_.attributes.swap(attributes);
    if (type != EntryType::regular) {
        entry_.sparse = false;
        entry_.extents.clear();
    }
    options_.rewrite.apply(entry_);
    sink_.begin(entry_);
    progress_.add_file();
}

template <typename File>
bool TreeReader<File>::give_data(Prepared& prepared)
{
    entry_.sparse = check(hole_finder_->find(prepared.file, prepared.stat, entry_.extents));
    begin(EntryType::regular, prepared.stat, prepared.attributes);
    try {
        if (!options_.data) {
            // Its size and extents are all that is wanted.
        } else if (entry_.sparse) {
            for (const Extent& extent : entry_.extents)
                give_extent(prepared.file, extent);
        } else if (entry_.size > 0 || options_.image) {
            give_extent(prepared.file, {0, entry_.size});
        } else {
            copy_to_end(prepared.file);
        }
    } catch (const FileFailure& failure) {
        // If nothing may follow, not even an end that looks like one.
        failures_.add(failure.error);
        sink_.abandon();
        return false;
    }
    if constexpr (std::is_same_v<File, HostFile>) {
        if (options_.data)
            guarded([&] { check_unchanged(prepared); });
    }
    sink_.end();
    return true;
}

// Its data may be partly those from before and partly those from after; it is copied all the
// same, for logs grow.
template <typename File>
void TreeReader<File>::check_unchanged(const Prepared& prepared) const
{
    const lkl::Stat now = check(prepared.file.stat(LKL_STATX_SIZE | LKL_STATX_MTIME));
    const lkl::Stat& before = prepared.stat;
    if (now.stx_size != before.stx_size || now.stx_mtime.tv_sec != before.stx_mtime.tv_sec ||
        now.stx_mtime.tv_nsec != before.stx_mtime.tv_nsec)
        throw FileFailure{texts_.damaged(shown(), "was written to")};
}

template <typename File>
size_t TreeReader<File>::read_some(const File& file, std::span<std::byte> room, uint64_t offset)
{
    lkl::Result<size_t> count = file.read_at(room, offset);
    if (!count) {
        lkl::Error error = std::move(count).error();
        error.what = "read at byte " + std::to_string(offset) + error.what.substr(4);
        throw FileFailure{texts_.failure(error, shown())};
    }
    if (*count > 0)
        sink_.data(offset, *count);
    progress_.add_bytes(*count);
    return *count;
}

// What the sink does not take itself is read.
template <typename File>
void TreeReader<File>::give_extent(const File& file, Extent extent)
{
    if constexpr (std::is_same_v<File, lkl::File>) {
        // Where blocks cannot be shared they are copied, and this takes as long.
        for (bool all = true; all && extent.length > 0;) {
            const Extent part{extent.offset, std::min(extent.length, most_shared)};
            const uint64_t shared = sink_.share(file, part);
            progress_.add_bytes(shared);
            extent.offset += shared;
            extent.length -= shared;
            all = shared == part.length;
        }
    }
    copy(file, extent.offset, extent.length);
}

template <typename File>
void TreeReader<File>::copy(const File& file, uint64_t offset, uint64_t length)
{
    // Large files are read in whole pages, from and to.
    if (length >= large)
        sink_.align();
    DropBehind behind;
    while (length > 0) {
        const std::span<std::byte> room = sink_.space();
        const auto wanted = static_cast<size_t>(std::min<uint64_t>(room.size(), length));
        const size_t count = read_some(file, room.first(wanted), offset);
        if (count == 0)
            throw FileFailure{texts_.damaged(
                shown(), "ends at byte " + std::to_string(offset) + ", before its size")};
        offset += count;
        length -= count;
        if constexpr (std::is_same_v<File, lkl::File>)
            behind.passed(file, offset);
    }
}

// Files of /proc and the like say that they are empty, and are not.
template <typename File>
void TreeReader<File>::copy_to_end(const File& file)
{
    for (uint64_t offset = 0;;) {
        const size_t count = read_some(file, sink_.space(), offset);
        if (count == 0)
            return;
        offset += count;
    }
}

template class TreeReader<lkl::File>;
template class TreeReader<HostFile>;

}  // namespace tools
