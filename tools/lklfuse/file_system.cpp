// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/file_system.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include <lkl/file.hpp>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/fs.h>
#include <lkl/linux/resource.h>

#include "lklfuse/name_folding.hpp"

namespace tools::lklfuse {

namespace {

constexpr unsigned wanted_stats = LKL_STATX_BASIC_STATS;

// What an inode that is kept costs in the kernel inside, with all that belongs to it,
// is less than half of this. In bytes.
constexpr uint64_t memory_of_pin = 4096;

// What is left for other things, the buffers of threads among them. In bytes.
constexpr uint64_t memory_of_others = uint64_t{12} << 20;

constexpr uint64_t least_pins = 256;

lkl::Mount mount_proc(MountedImage& image)
{
    auto proc = lkl::Mount::special(image.kernel(), "proc", "/proc");
    if (!proc)
        throw image.failure(proc.error(), "/proc");
    return *std::move(proc);
}

// Those where it is known to do what it should.
bool can_read_directly(const std::string& type)
{
    constexpr std::array<std::string_view, 6> types{"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs"};
    return std::find(types.begin(), types.end(), type) != types.end();
}

InnerFile open_root(MountedImage& image, Inner& inner)
{
    const lkl::File root = image.open_root();
    // A duplicate, which the operations can use without lkl::File's messages.
    return {inner, inner.call(__lkl__NR_dup, root.descriptor())};
}

}  // namespace

DescriptorPath::DescriptorPath(long descriptor)
{
    std::snprintf(text_.data(), text_.size(), "/proc/self/fd/%ld", descriptor);
}

FileSystem::FileSystem(MountedImage& image, const ImageRequest& request,
                       std::function<void(const std::string& log)> crashed)
    : inner_(image.kernel(), std::move(crashed)),
      read_only_(!request.writable),
      proc_(mount_proc(image)),
      root_(open_root(image, inner_)),
      guard_(inner_, root_.get(), request.memory),
      all_names_fold_(all_names_fold(inner_, root_.get(), image.type(), request.options)),
      reads_directly_(can_read_directly(image.type())),
      nodes_([this](int pin) { inner_.call(__lkl__NR_close, pin); },
             [this](const Node& gone) {
                 if (evictor_)
                     evictor_->remove(reinterpret_cast<fuse_ino_t>(&gone));
             })
{
    set_descriptors_apart();
    const long result =
        inner_.call(__lkl__NR_statx, root_.get(), "", LKL_AT_EMPTY_PATH, wanted_stats, &root_stat_);
    if (result < 0)
        throw image.failure({static_cast<int>(-result), "stat"}, "/");
    // FAT's handles hold only while the file is in memory.
    has_handles_ = image.type() != "vfat" && image.type() != "msdos" && probe_handles();
    has_acls_ = probe_acls();
}

FileSystem::~FileSystem()
{
    // Files that were in use when the mount was taken out of the way.
    inner_.call(__lkl__NR_close_range, first_file_, ~0u, 0);
}

void FileSystem::set_descriptors_apart()
{
    first_file_ = inner_.call(__lkl__NR_dup, root_.get());
    inner_.call(__lkl__NR_close, first_file_);
    constexpr unsigned long most = 1 << 20;  // fs.nr_open
    const std::array<unsigned long, 2> limit{most, most};
    inner_.call(__lkl__NR_prlimit64, 0, LKL_RLIMIT_NOFILE, limit.data(), nullptr);
}

bool FileSystem::probe_handles()
{
    FileHandle handle;
    if (handle_of(root_.get(), "", LKL_AT_EMPTY_PATH, handle) < 0)
        return false;
    const InnerFile again(inner_, inner_.call(__lkl__NR_open_by_handle_at, root_.get(), &handle,
                                              LKL_O_PATH | LKL_O_CLOEXEC));
    return static_cast<bool>(again);
}

bool FileSystem::probe_acls()
{
    const long result =
        inner_.call(__lkl__NR_fgetxattr, root_.get(), "system.posix_acl_access", nullptr, 0);
    return result >= 0 || result == -LKL_ENODATA;
}

void FileSystem::start(fuse_session* session)
{
    session_ = session;
    if (!read_only_)
        write_back_.emplace(session);
    if (has_handles_)
        return;
    const uint64_t free = guard_.free_memory();
    const uint64_t pins = free > memory_of_others ? (free - memory_of_others) / memory_of_pin : 0;
    evictor_.emplace(
        session, [this] { return nodes_.pins(); }, std::max(pins, least_pins));
}

void FileSystem::stop()
{
    evictor_.reset();
    write_back_.reset();
}

InnerFile FileSystem::reach(fuse_ino_t ino)
{
    if (ino == FUSE_ROOT_ID)
        return {inner_, root_.get(), false};
    Node& file = node(ino);
    if (const int pin = file.pin; pin >= 0)
        return {inner_, pin, false};
    return {inner_, inner_.call(__lkl__NR_open_by_handle_at, root_.get(), file.handle,
                                LKL_O_PATH | LKL_O_CLOEXEC)};
}

InnerFile FileSystem::open(fuse_ino_t ino, int flags)
{
    flags |= LKL_O_CLOEXEC | LKL_O_LARGEFILE;
    if (ino != FUSE_ROOT_ID && node(ino).pin < 0)
        return {inner_,
                inner_.call(__lkl__NR_open_by_handle_at, root_.get(), node(ino).handle, flags)};
    const InnerFile path = reach(ino);
    return {inner_,
            inner_.call(__lkl__NR_openat, LKL_AT_FDCWD, DescriptorPath(path.get()).get(), flags)};
}

long FileSystem::handle_of(long directory, const char* name, int flags, FileHandle& handle)
{
    int mount_id = 0;
    handle = FileHandle();
    return inner_.call(__lkl__NR_name_to_handle_at, directory, name, &handle, &mount_id, flags);
}

long FileSystem::find(long directory, const char* name, Found& found)
{
    if (!has_handles_) {
        InnerFile pin(inner_, inner_.call(__lkl__NR_openat, directory, name,
                                          LKL_O_PATH | LKL_O_NOFOLLOW | LKL_O_CLOEXEC));
        if (!pin)
            return pin.error();
        const long result = find_open(pin.get(), found);
        if (result == 0)
            found.pin = static_cast<int>(pin.release());
        return result;
    }
    const long result = handle_of(directory, name, 0, found.handle);
    if (result < 0)
        return result;
    return inner_.call(__lkl__NR_statx, directory, name, LKL_AT_SYMLINK_NOFOLLOW, wanted_stats,
                       &found.stat);
}

long FileSystem::find_open(long file, Found& found)
{
    const long result =
        inner_.call(__lkl__NR_statx, file, "", LKL_AT_EMPTY_PATH, wanted_stats, &found.stat);
    if (result < 0)
        return result;
    if (has_handles_)
        return handle_of(file, "", LKL_AT_EMPTY_PATH, found.handle);
    const uint64_t device =
        uint64_t{found.stat.stx_dev_major} << 32 | uint64_t{found.stat.stx_dev_minor};
    found.handle = FileHandle::of_inode(device, found.stat.stx_ino);
    return 0;
}

void FileSystem::enter(const Found& found, fuse_ino_t parent, const char* name,
                       fuse_entry_param& entry)
{
    Node& file = nodes_.look_up(found.handle, found.pin);
    entry = {};
    entry.ino = reinterpret_cast<fuse_ino_t>(&file);
    entry.attr_timeout = forever;
    entry.entry_timeout = folds_case(parent) ? 0 : forever;
    convert(found.stat, entry.attr);
    if (evictor_)
        evictor_->add(entry.ino, parent, name);
}

void FileSystem::forget(fuse_ino_t ino, uint64_t lookups)
{
    if (ino != FUSE_ROOT_ID)
        nodes_.forget(node(ino), lookups);
}

void FileSystem::keep_directory(long parent, const char* name)
{
    FileHandle handle;
    if (!has_handles_ || handle_of(parent, name, 0, handle) < 0 || !nodes_.needs_pin(handle))
        return;
    const long pin = inner_.call(__lkl__NR_openat, parent, name,
                                 LKL_O_PATH | LKL_O_NOFOLLOW | LKL_O_DIRECTORY | LKL_O_CLOEXEC);
    if (pin >= 0)
        nodes_.pin(handle, static_cast<int>(pin));
}

void FileSystem::renamed(long directory, fuse_ino_t parent, const char* name)
{
    Found found;
    if (!evictor_ || find(directory, name, found) < 0)
        return;
    fuse_entry_param entry;
    enter(found, parent, name, entry);
    forget(entry.ino, 1);
}

bool FileSystem::folds_case(fuse_ino_t directory)
{
    if (read_only_ || all_names_fold_)
        return !read_only_;
    auto& folding = directory == FUSE_ROOT_ID ? root_folding_ : node(directory).case_folding;
    if (folding == Node::Folding::unknown) {
        unsigned flags = 0;
        const InnerFile file = open(directory, LKL_O_RDONLY | LKL_O_DIRECTORY);
        const bool folds =
            file && inner_.call(__lkl__NR_ioctl, file.get(), LKL_FS_IOC_GETFLAGS, &flags) == 0 &&
            (flags & LKL_FS_CASEFOLD_FL) != 0;
        folding = folds ? Node::Folding::yes : Node::Folding::no;
    }
    return folding == Node::Folding::yes;
}

void FileSystem::forget_case(fuse_ino_t directory)
{
    auto& folding = directory == FUSE_ROOT_ID ? root_folding_ : node(directory).case_folding;
    folding = Node::Folding::unknown;
}

uint64_t FileSystem::shown_inode(const struct lkl_statx& stat) const
{
    // Subvolumes of Btrfs have device numbers of their own, and the same inode numbers
    // in each: on one device, as the host's kernel shows it, they must differ.
    const uint64_t volume = stat.stx_dev_minor ^ root_stat_.stx_dev_minor;
    return stat.stx_ino ^ volume << 48;
}

void FileSystem::convert(const struct lkl_statx& from, struct stat& to) const
{
    const auto time = [](const struct lkl_statx_timestamp& stamp) {
        return timespec{static_cast<time_t>(stamp.tv_sec), static_cast<long>(stamp.tv_nsec)};
    };
    to = {};
    to.st_ino = shown_inode(from);
    to.st_mode = from.stx_mode;
    to.st_nlink = from.stx_nlink;
    to.st_uid = from.stx_uid;
    to.st_gid = from.stx_gid;
    to.st_rdev = lkl::device_number(from.stx_rdev_major, from.stx_rdev_minor);
    to.st_size = static_cast<off_t>(from.stx_size);
    to.st_blksize = static_cast<blksize_t>(from.stx_blksize);
    to.st_blocks = static_cast<blkcnt_t>(from.stx_blocks);
    to.st_atim = time(from.stx_atime);
    to.st_mtim = time(from.stx_mtime);
    to.st_ctim = time(from.stx_ctime);
}

}  // namespace tools::lklfuse
