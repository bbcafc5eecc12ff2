// SPDX-License-Identifier: GPL-2.0-only
#include "fs2tar/walker.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <lkl/linux/fadvise.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/stat.h>

#include "common/report.hpp"

namespace tools::fs2tar {

namespace {

#ifdef LKL_STATX_SUBVOL
constexpr unsigned stat_mask = lkl::File::basic_stats | LKL_STATX_SUBVOL;
#else
constexpr unsigned stat_mask = lkl::File::basic_stats;
#endif

constexpr int open_directory = LKL_O_RDONLY | LKL_O_DIRECTORY | LKL_O_NOFOLLOW;
constexpr int open_file = LKL_O_RDONLY | LKL_O_NOFOLLOW | LKL_O_NONBLOCK;

constexpr uint32_t type_mask = LKL_S_IFMT;

lkl::FileType file_type(const lkl::Stat& stat)
{
    return static_cast<lkl::FileType>((stat.stx_mode & type_mask) >> 12);
}

Time to_time(const struct lkl_statx_timestamp& time)
{
    return {time.tv_sec, time.tv_nsec};
}

template <typename Entries>
void sort_entries(Entries& entries, const std::string& names)
{
    std::sort(entries.begin(), entries.end(), [&names](const auto& a, const auto& b) {
        if (a.inode != b.inode)
            return a.inode < b.inode;
        return std::strcmp(names.c_str() + a.name, names.c_str() + b.name) < 0;
    });
}

}  // namespace

size_t Walker::HashIdentity::operator()(const Identity& id) const
{
    // Inode numbers differ in their low bits; the others hardly differ at all.
    constexpr uint64_t odd = 0x9e3779b97f4a7c15;
    return (id.inode ^ (id.device << 40) ^ (id.subvolume << 20)) * odd >> 8;
}

Walker::Walker(MountedImage& image, const WalkOptions& options, OutputStream& out,
               Progress& progress)
    : image_(image), options_(options), out_(out), progress_(progress)
{
}

ToolError Walker::failure(const lkl::Error& error) const
{
    return image_.failure(error, path_.empty() ? "." : path_);
}

template <typename T>
T Walker::check(lkl::Result<T> result) const
{
    if (!result)
        throw failure(result.error());
    if constexpr (!std::is_void_v<T>)
        return *std::move(result);
}

Walker::Identity Walker::identity(const lkl::Stat& stat)
{
    Identity id;
    id.inode = stat.stx_ino;
    id.device = uint64_t{stat.stx_dev_major} << 32 | stat.stx_dev_minor;
#ifdef LKL_STATX_SUBVOL
    if ((stat.stx_mask & LKL_STATX_SUBVOL) != 0)
        id.subvolume = stat.stx_subvol;
#endif
    return id;
}

void Walker::set_path(const Level& level, const char* name)
{
    path_.resize(level.path_length);
    path_ += name;
}

void Walker::run(lkl::File top)
{
    path_.clear();
    hole_finder_.emplace(check(top.stat_file_system()));
    enter(std::move(top));
    while (!levels_.empty()) {
        if (levels_.back().next < levels_.back().subdirectories.size())
            descend();
        else
            ascend();
    }
}

// Archives the directory path_, which ends in a slash, and its files.
void Walker::enter(lkl::File directory)
{
    const lkl::Stat stat = archive_directory(directory);
    Level& level = levels_.emplace_back();
    level.directory = std::move(directory);
    level.path_length = path_.size();
    const std::vector<Child> files = read_entries(level);
    // Two names for one directory are damage; where they lead to each other
    // there would be no end. Empty ones are harmless, and Btrfs shows many of
    // one number in the place of subvolumes that a snapshot does not contain.
    if (!(files.empty() && level.subdirectories.empty()) &&
        !directories_.insert(identity(stat)).second)
        throw image_.damaged(path_, "is linked twice");
    archive_files(level, files);
    if (levels_.size() > open_levels)
        levels_[levels_.size() - 1 - open_levels].directory = {};
}

void Walker::descend()
{
    Level& level = levels_.back();
    const char* const name = level.names.c_str() + level.subdirectories[level.next++].name;
    set_path(level, name);
    lkl::File directory = check(level.directory.open_at(name, open_directory));
    path_ += '/';
    enter(std::move(directory));
}

void Walker::ascend()
{
    const Level finished = std::move(levels_.back());
    levels_.pop_back();
    // Nobody moves directories on a read-only mount: ".." is the same as before.
    if (!levels_.empty() && !levels_.back().directory.is_open())
        levels_.back().directory = check(finished.directory.open_at("..", open_directory));
}

// Reads the directory: files are returned, subdirectories go into the level.
std::vector<Walker::Child> Walker::read_entries(Level& level)
{
    lkl::Directory directory(std::move(level.directory));
    std::vector<Child> files;
    while (const lkl::DirectoryEntry* const entry = check(directory.next())) {
        if (!options_.exclude.empty()) {
            set_path(level, entry->name);
            if (options_.exclude.match(path_))
                continue;
        }
        Child child{entry->inode, level.names.size(), entry->type};
        if (child.type == lkl::FileType::unknown) {
            set_path(level, entry->name);
            child.type = file_type(check(directory.file().stat_at(entry->name)));
        }
        level.names.append(entry->name);
        level.names += '\0';
        (child.type == lkl::FileType::directory ? level.subdirectories : files).push_back(child);
    }
    path_.resize(level.path_length);
    level.directory = directory.release();
    sort_entries(files, level.names);
    sort_entries(level.subdirectories, level.names);
    return files;
}

void Walker::archive_files(Level& level, const std::vector<Child>& files)
{
    working_directory_set_ = false;
    // A ring: [done, next) are prepared, those that turned out to be nothing for
    // the archive without a name.
    size_t next = 0;
    for (size_t done = 0; done < files.size(); done++) {
        for (; next < files.size() && next < done + window; next++) {
            Prepared& prepared = prepared_[next % window];
            set_path(level, level.names.c_str() + files[next].name);
            if (!prepare(level, files[next], prepared))
                prepared.name = nullptr;
        }
        Prepared& prepared = prepared_[done % window];
        if (prepared.name != nullptr) {
            set_path(level, prepared.name);
            archive(prepared);
            (void)prepared.file.advise(0, 0, LKL_POSIX_FADV_DONTNEED);
            prepared.file = {};
        }
    }
}

// Opens a file and asks for its data. False: it does not go into the archive.
bool Walker::prepare(Level& level, const Child& child, Prepared& prepared)
{
    prepared.name = level.names.c_str() + child.name;
    prepared.attributes.clear();
    prepared.stat = check(level.directory.stat_at(prepared.name, stat_mask));
    const lkl::Stat& stat = prepared.stat;
    switch (file_type(stat)) {
    case lkl::FileType::directory:
        // The entry's type lied.
        level.subdirectories.push_back(child);
        return false;
    case lkl::FileType::socket:
        if (!options_.quiet)
            report(escaped(path_) + ": socket: not archived");
        return false;
    default:
        break;
    }
    if (stat.stx_nlink > 1 && options_.labels == nullptr && links_.contains(identity(stat)))
        return true;
    if (file_type(stat) == lkl::FileType::regular) {
        prepared.file = check(level.directory.open_at(prepared.name, open_file));
        // Only advice: what fails here fails again, with its reason, in read().
        if (stat.stx_size > 0)
            (void)prepared.file.advise(0, std::min<uint64_t>(stat.stx_size, ahead),
                                       LKL_POSIX_FADV_WILLNEED);
    } else if (file_type(stat) == lkl::FileType::symbolic_link) {
        prepared.link = check(level.directory.read_link_at(prepared.name));
    }
    read_attributes(level, prepared);
    return true;
}

void Walker::read_attributes(Level& level, Prepared& prepared)
{
    if (prepared.file.is_open()) {
        check(attribute_reader_.read(prepared.file, prepared.attributes));
        return;
    }
    // There is no descriptor of a symbolic link or a device that these calls
    // take, so they go by name.
    if (!working_directory_set_)
        check(level.directory.make_working_directory());
    working_directory_set_ = true;
    check(attribute_reader_.read(image_.kernel(), prepared.name, prepared.attributes));
}

void Walker::archive(Prepared& prepared)
{
    const lkl::Stat& stat = prepared.stat;
    if (stat.stx_nlink > 1 && archive_as_link(stat, prepared.attributes))
        return;

    Member member;
    switch (file_type(stat)) {
    case lkl::FileType::regular:
        archive_data(prepared, member);
        return;
    case lkl::FileType::symbolic_link:
        member.type = MemberType::symbolic_link;
        member.link = prepared.link;
        break;
    case lkl::FileType::character_device:
    case lkl::FileType::block_device:
        member.type = file_type(stat) == lkl::FileType::block_device ? MemberType::block_device
                                                                     : MemberType::character_device;
        member.device_major = stat.stx_rdev_major;
        member.device_minor = stat.stx_rdev_minor;
        break;
    case lkl::FileType::fifo:
        member.type = MemberType::fifo;
        break;
    default:
        throw image_.damaged(path_, "is of no known type of file");
    }
    begin_member(member, stat, prepared.attributes);
    writer_.end_member();
}

// True if the file is in the archive under another name: then a hard link is
// written. Else remembers this name of it.
bool Walker::archive_as_link(const lkl::Stat& stat, const Attributes& attributes)
{
    const Identity id = identity(stat);
    const auto found = links_.find(id);
    if (found == links_.end()) {
        links_.emplace(id, Link{path_, stat.stx_nlink - 1});
        return false;
    }
    if (options_.labels != nullptr && !attributes.selinux.empty())
        options_.labels->add(path_, attributes.selinux);
    Member member;
    member.type = MemberType::hard_link;
    member.link = found->second.path;
    // The file's attributes stand with its first name.
    begin_member(member, stat, Attributes());
    writer_.end_member();
    if (--found->second.remaining == 0)
        links_.erase(found);
    return true;
}

lkl::Stat Walker::archive_directory(const lkl::File& directory)
{
    const lkl::Stat stat = check(directory.stat(stat_mask));
    check(attribute_reader_.read(directory, directory_attributes_));
    Member member;
    member.type = MemberType::directory;
    const bool top = path_.empty();
    if (top)
        path_ = "./";
    begin_member(member, stat, directory_attributes_);
    writer_.end_member();
    if (top)
        path_.clear();
    return stat;
}

// Fills in what all kinds of members share, and writes the header for path_.
void Walker::begin_member(Member& member, const lkl::Stat& stat, const Attributes& attributes)
{
    member.path = path_;
    member.mode = stat.stx_mode & ~type_mask;
    member.uid = stat.stx_uid;
    member.gid = stat.stx_gid;
    member.mtime = to_time(stat.stx_mtime);
    member.atime = to_time(stat.stx_atime);
    member.ctime = to_time(stat.stx_ctime);
    member.attributes = attributes.list;
    member.acl_access = attributes.acl_access;
    member.acl_default = attributes.acl_default;
    member.selinux = attributes.selinux;
    writer_.begin_member(member);
    if (options_.labels != nullptr && !attributes.selinux.empty())
        options_.labels->add(path_, attributes.selinux);
    progress_.add_file();
}

void Walker::archive_data(Prepared& prepared, Member& member)
{
    member.type = MemberType::regular;
    member.size = prepared.stat.stx_size;
    if (check(hole_finder_->find(prepared.file, prepared.stat, extents_)))
        member.extents = &extents_;
    begin_member(member, prepared.stat, prepared.attributes);
    if (member.extents == nullptr) {
        copy(prepared.file, 0, member.size);
    } else {
        for (const Extent& extent : extents_)
            copy(prepared.file, extent.offset, extent.length);
    }
    writer_.end_member();
}

void Walker::copy(const lkl::File& file, uint64_t offset, uint64_t length)
{
    // Large files are read in whole pages, from and to.
    if (length >= OutputStream::buffer_size)
        out_.align();
    while (length > 0) {
        const std::span<std::byte> room = out_.space();
        const auto wanted = static_cast<size_t>(std::min<uint64_t>(room.size(), length));
        lkl::Result<size_t> count = file.read_at(room.first(wanted), offset);
        if (!count) {
            lkl::Error error = std::move(count).error();
            error.what = "read at byte " + std::to_string(offset) + error.what.substr(4);
            throw failure(error);
        }
        if (*count == 0)
            throw image_.damaged(path_,
                                 "ends at byte " + std::to_string(offset) + ", before its size");
        out_.commit(*count);
        progress_.add_bytes(*count);
        offset += *count;
        length -= *count;
    }
}

}  // namespace tools::fs2tar
