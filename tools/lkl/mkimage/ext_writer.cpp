// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/mkimage/ext_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

#include <et/com_err.h>
#include <sys/stat.h>
#include <uuid/uuid.h>

#include "common/report.hpp"
#include "lkl/mkimage/ext_inode.hpp"

namespace tools::mkimage {

namespace {

std::string parent_of(const std::string& path)
{
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

std::string name_of(const std::string& path)
{
    return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

bool is_name(const std::string& name)
{
    return !name.empty() && name != "." && name != ".." && name.size() <= EXT2_NAME_LEN;
}

}  // namespace

ExtWriter::ExtWriter(int descriptor, std::string shown, int64_t time, const std::string& hash_seed,
                     Failures& failures)
    : shown_(std::move(shown)),
      time_(std::max<int64_t>(time, 1)),  // 0 would be: now
      failures_(failures)
{
    initialize_ext2_error_table();
    const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
    check(ext2fs_open(path.c_str(), EXT2_FLAG_RW | EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &fs_),
          "open");
    fs_->now = static_cast<time_t>(time_);
    check(ext2fs_read_bitmaps(fs_), "read its bitmaps");
    // What directories are indexed by, once a kernel writes them.
    if (ext2fs_has_feature_dir_index(fs_->super))
        (void)uuid_parse(hash_seed.c_str(),
                         reinterpret_cast<unsigned char*>(fs_->super->s_hash_seed));
    ext2fs_mark_super_dirty(fs_);
    nodes_[{}] = {EXT2_ROOT_INO, true};
    ext2_ino_t lost = 0;
    if (ext2fs_lookup(fs_, EXT2_ROOT_INO, "lost+found", 10, nullptr, &lost) == 0)
        nodes_["lost+found"] = {lost, true};
}

ExtWriter::~ExtWriter()
{
    if (data_ != nullptr)
        (void)ext2fs_file_close(data_);
    if (fs_ != nullptr)
        ext2fs_free(fs_);
}

void ExtWriter::check(errcode_t code, const char* what) const
{
    if (code == 0)
        return;
    const bool full =
        code == EXT2_ET_BLOCK_ALLOC_FAIL || code == EXT2_ET_INODE_ALLOC_FAIL || code == ENOSPC;
    const std::string where = path_.empty() ? std::string() : escaped(path_) + ": ";
    throw ToolError(ExitCode::output,
                    shown_ + ": " + where + "cannot " + what + ": " +
                        escaped(full ? std::strerror(ENOSPC) : error_message(code)),
                    full ? ENOSPC : 0);
}

// Calls it, and once more after the directory has got another block.
template <typename Call>
void ExtWriter::with_room_in(ext2_ino_t directory, const char* what, const Call& call)
{
    errcode_t code = call();
    if (code == EXT2_ET_DIR_NO_SPACE) {
        check(ext2fs_expand_dir(fs_, directory), "enlarge its directory");
        code = call();
    }
    check(code, what);
}

auto ExtWriter::node_at(const std::string& path) const -> Node
{
    const auto found = nodes_.find(path);
    return found == nodes_.end() ? Node() : found->second;
}

// The directory of that path; what is missing is made, as mkdir -p does.
ext2_ino_t ExtWriter::directory_at(const std::string& path)
{
    const Node node = node_at(path);
    if (node.directory)
        return node.inode;
    if (node.inode != 0)
        check(EXT2_ET_NO_DIRECTORY, "make a file below a file");
    const std::string name = name_of(path);
    if (!is_name(name))
        check(EINVAL, "write outside of the file system");
    const ext2_ino_t parent = directory_at(parent_of(path));
    const ext2_ino_t made = make_directory(parent, name);
    nodes_[path] = {made, true};
    Entry entry;
    entry.type = EntryType::directory;
    entry.mode = 0755;
    entry.mtime = entry.atime = entry.ctime = {time_, 0};
    set_inode(made, entry);
    return made;
}

// As the kernel does: the links of a directory with more subdirectories than it can count
// are 1, where the file system may say that.
ext2_ino_t ExtWriter::make_directory(ext2_ino_t parent, const std::string& name)
{
    ext2_inode above{};
    check(ext2fs_read_inode(fs_, parent, &above), "make it");
    const bool uncounted = above.i_links_count >= EXT2_LINK_MAX || above.i_links_count == 1;
    if (uncounted && !ext2fs_has_feature_dir_nlink(fs_->super))
        check(EMLINK, "make it");
    ext2_ino_t inode = 0;
    check(ext2fs_new_inode(fs_, parent, LINUX_S_IFDIR | 0755, nullptr, &inode), "make it");
    with_room_in(parent, "make it", [&] { return ext2fs_mkdir(fs_, parent, inode, name.c_str()); });
    if (uncounted) {
        check(ext2fs_read_inode(fs_, parent, &above), "make it");
        above.i_links_count = 1;
        check(ext2fs_write_inode(fs_, parent, &above), "make it");
    }
    return inode;
}

void ExtWriter::begin(const Entry& entry)
{
    path_ = entry.path;
    regular_ = false;
    current_ = 0;
    size_ = entry.size;
    written_ = 0;
    make(entry);
}

void ExtWriter::make(const Entry& entry)
{
    if (entry.path.empty()) {
        if (entry.type != EntryType::directory)
            check(EISDIR, "replace the top directory");
        set_inode(EXT2_ROOT_INO, entry);
        set_attributes(EXT2_ROOT_INO, entry);
        return;
    }
    const std::string name = name_of(entry.path);
    if (!is_name(name))
        check(name.size() > EXT2_NAME_LEN ? ENAMETOOLONG : EINVAL, "make it");
    const ext2_ino_t parent = directory_at(parent_of(entry.path));
    if (entry.type == EntryType::directory) {
        make_directory_entry(entry, parent, name);
        return;
    }
    if (entry.type == EntryType::hard_link) {
        make_link(entry, parent, name);
        return;
    }
    remove(entry.path, parent, name);
    const bool link = entry.type == EntryType::symbolic_link;
    current_ = link ? make_symbolic_link(entry, parent, name) : make_file(entry, parent, name);
    nodes_[entry.path] = {current_, false};
    set_inode(current_, entry);
    set_attributes(current_, entry);
    regular_ = entry.type == EntryType::regular;
}

void ExtWriter::make_directory_entry(const Entry& entry, ext2_ino_t parent, const std::string& name)
{
    Node node = node_at(entry.path);
    if (node.inode != 0 && !node.directory)
        check(ENOTDIR, "replace a file by a directory");
    if (node.inode == 0) {
        node = {make_directory(parent, name), true};
        nodes_[entry.path] = node;
    }
    set_inode(node.inode, entry);
    set_attributes(node.inode, entry);
}

void ExtWriter::make_link(const Entry& entry, ext2_ino_t parent, const std::string& name)
{
    if (entry.link == entry.path)
        return;
    const Node target = node_at(entry.link);
    if (target.inode == 0 || target.directory)
        check(target.directory ? EPERM : ENOENT, "make hard link");
    remove(entry.path, parent, name);
    ext2_inode inode{};
    check(ext2fs_read_inode(fs_, target.inode, &inode), "make hard link");
    if (inode.i_links_count >= EXT2_LINK_MAX) {
        copy_instead(entry, target.inode, parent, name);
        return;
    }
    add_name(parent, name, target.inode, directory_type(inode.i_mode));
    inode.i_links_count++;
    check(ext2fs_write_inode(fs_, target.inode, &inode), "make hard link");
    nodes_[entry.path] = target;
    // Formats like cpio store a file's data with its last name.
    if (entry.size > 0) {
        current_ = target.inode;
        regular_ = true;
    }
}

// A second copy of a file that has as many names as it can, as TreeWriter makes it.
void ExtWriter::copy_instead(const Entry& entry, ext2_ino_t target, ext2_ino_t parent,
                             const std::string& name)
{
    ext2_inode inode{};
    check(ext2fs_read_inode(fs_, target, &inode), "make hard link");
    // Data that come with the last name belong to the others as well.
    if (!LINUX_S_ISREG(inode.i_mode) || entry.size > 0)
        check(EMLINK, "make hard link");
    failures_.warn_once("hard links", shown_ + ": " + escaped(entry.path) +
                                          ": cannot make hard link: " + std::strerror(EMLINK) +
                                          ": the file is copied instead");
    Entry copy = entry;
    copy.type = EntryType::regular;
    copy.attributes = attributes_of(target);
    current_ = make_file(copy, parent, name);
    nodes_[entry.path] = {current_, false};
    set_inode(current_, copy);
    set_attributes(current_, copy);
    regular_ = true;
    copy_data(target);
}

// Gives the current file the data of another one; blocks of zeroes become holes.
void ExtWriter::copy_data(ext2_ino_t from)
{
    ext2_file_t opened = nullptr;
    check(ext2fs_file_open(fs_, from, 0, &opened), "read");
    const auto close = [](ext2_file_t file) { (void)ext2fs_file_close(file); };
    const std::unique_ptr<std::remove_pointer_t<ext2_file_t>, decltype(close)> source(opened,
                                                                                      close);
    __u64 size = 0;
    check(ext2fs_file_get_lsize(source.get(), &size), "read");
    size_ = size;
    std::vector<std::byte> block(fs_->blocksize);
    for (uint64_t offset = 0; offset < size_;) {
        unsigned count = 0;
        check(ext2fs_file_read(source.get(), block.data(), fs_->blocksize, &count), "read");
        if (count == 0)
            check(EIO, "read");
        const auto bytes = std::span<const std::byte>(block).first(count);
        if (!std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; }))
            data(offset, bytes);
        offset += count;
    }
}

ext2_ino_t ExtWriter::make_symbolic_link(const Entry& entry, ext2_ino_t parent,
                                         const std::string& name)
{
    ext2_ino_t inode = 0;
    check(ext2fs_new_inode(fs_, parent, LINUX_S_IFLNK | 0777, nullptr, &inode), "make it");
    with_room_in(parent, "make symbolic link", [&] {
        return ext2fs_symlink(fs_, parent, inode, name.c_str(), entry.link.c_str());
    });
    return inode;
}

// A file of any other kind, without data.
ext2_ino_t ExtWriter::make_file(const Entry& entry, ext2_ino_t parent, const std::string& name)
{
    ext2_ino_t number = 0;
    const auto mode = static_cast<uint16_t>(type_bits(entry.type) | (entry.mode & 07777));
    check(ext2fs_new_inode(fs_, parent, mode, nullptr, &number), "make it");
    add_name(parent, name, number, directory_type(mode));
    ext2fs_inode_alloc_stats2(fs_, number, +1, 0);
    ext2_inode inode{};
    inode.i_mode = mode;
    inode.i_links_count = 1;
    if (entry.type == EntryType::regular && ext2fs_has_feature_extents(fs_->super)) {
        inode.i_flags |= EXT4_EXTENTS_FL;
        ext2_extent_handle_t handle = nullptr;
        // Makes the root of the tree of extents.
        check(ext2fs_extent_open2(fs_, number, &inode, &handle), "make it");
        ext2fs_extent_free(handle);
    } else if (entry.type == EntryType::character_device || entry.type == EntryType::block_device) {
        set_device(inode, entry.device_major, entry.device_minor);
    }
    check(ext2fs_write_new_inode(fs_, number, &inode), "make it");
    return number;
}

void ExtWriter::add_name(ext2_ino_t parent, const std::string& name, ext2_ino_t inode, int type)
{
    with_room_in(parent, "add its name",
                 [&] { return ext2fs_link(fs_, parent, name.c_str(), inode, type); });
}

// Makes room for a file where an earlier one of an archive is.
void ExtWriter::remove(const std::string& path, ext2_ino_t parent, const std::string& name)
{
    const Node old = node_at(path);
    if (old.inode == 0)
        return;
    if (old.directory)
        check(EISDIR, "replace a directory by a file");
    check(ext2fs_unlink(fs_, parent, name.c_str(), old.inode, 0), "replace it");
    nodes_.erase(path);
    ext2_inode inode{};
    check(ext2fs_read_inode(fs_, old.inode, &inode), "replace it");
    if (--inode.i_links_count == 0) {
        if (ext2fs_inode_has_valid_blocks2(fs_, &inode) != 0)
            check(ext2fs_punch(fs_, old.inode, &inode, nullptr, 0, ~blk64_t{0}), "replace it");
        ext2fs_free_ext_attr(fs_, old.inode, reinterpret_cast<ext2_inode_large*>(&inode));
        inode.i_dtime = static_cast<uint32_t>(time_);
        ext2fs_inode_alloc_stats2(fs_, old.inode, -1, 0);
    }
    check(ext2fs_write_inode(fs_, old.inode, &inode), "replace it");
}

// Owner, mode and times.
void ExtWriter::set_inode(ext2_ino_t number, const Entry& entry)
{
    const auto size = static_cast<int>(EXT2_INODE_SIZE(fs_->super));
    std::vector<std::byte> buffer(
        std::max<size_t>(static_cast<size_t>(size), sizeof(ext2_inode_large)));
    auto* const inode = reinterpret_cast<ext2_inode_large*>(buffer.data());
    auto* const small = reinterpret_cast<ext2_inode*>(buffer.data());
    check(ext2fs_read_inode_full(fs_, number, small, size), "set its owner");
    inode->i_mode = static_cast<uint16_t>((inode->i_mode & LINUX_S_IFMT) | (entry.mode & 07777));
    if (LINUX_S_ISLNK(inode->i_mode))
        inode->i_mode = LINUX_S_IFLNK | 0777;
    inode->i_uid = static_cast<uint16_t>(entry.uid);
    inode->osd2.linux2.l_i_uid_high = static_cast<uint16_t>(entry.uid >> 16);
    inode->i_gid = static_cast<uint16_t>(entry.gid);
    inode->osd2.linux2.l_i_gid_high = static_cast<uint16_t>(entry.gid >> 16);
    const Time changed{time_, 0};
    inode->i_atime = static_cast<uint32_t>(entry.atime.seconds);
    inode->i_mtime = static_cast<uint32_t>(entry.mtime.seconds);
    inode->i_ctime = static_cast<uint32_t>(changed.seconds);
    if (size > EXT2_GOOD_OLD_INODE_SIZE) {
        inode->i_extra_isize = sizeof(ext2_inode_large) - EXT2_GOOD_OLD_INODE_SIZE;
        inode->i_atime_extra = extra_time(entry.atime);
        inode->i_mtime_extra = extra_time(entry.mtime);
        inode->i_ctime_extra = extra_time(changed);
        inode->i_crtime = static_cast<uint32_t>(changed.seconds);
        inode->i_crtime_extra = extra_time(changed);
    }
    check(ext2fs_write_inode_full(fs_, number, small, size), "set its owner");
}

ExtWriter::Attributes ExtWriter::open_attributes(ext2_ino_t number, const char* what)
{
    ext2_xattr_handle* opened = nullptr;
    check(ext2fs_xattrs_open(fs_, number, &opened), what);
    Attributes handle(opened);
    check(ext2fs_xattrs_read(handle.get()), what);
    return handle;
}

std::vector<Attribute> ExtWriter::attributes_of(ext2_ino_t number)
{
    constexpr const char* what = "read extended attributes";
    const Attributes handle = open_attributes(number, what);
    std::vector<Attribute> attributes;
    const auto add_name = [](char* name, char*, size_t, void* list) {
        static_cast<std::vector<Attribute>*>(list)->push_back({name, {}});
        return 0;
    };
    check(ext2fs_xattrs_iterate(handle.get(), add_name, &attributes), what);
    for (Attribute& attribute : attributes) {
        void* value = nullptr;
        size_t size = 0;
        check(ext2fs_xattr_get(handle.get(), attribute.name.c_str(), &value, &size), what);
        attribute.value.assign(static_cast<const char*>(value), size);
        ext2fs_free_mem(&value);
    }
    return attributes;
}

void ExtWriter::set_attributes(ext2_ino_t number, const Entry& entry)
{
    if (entry.attributes.empty())
        return;
    const Attributes handle = open_attributes(number, "set extended attributes");
    for (const Attribute& attribute : entry.attributes) {
        // Of the file systems of Linux, ACLs alone are files' own there.
        if (attribute.name.starts_with("system.") &&
            !attribute.name.starts_with("system.posix_acl_"))
            continue;
        check(ext2fs_xattr_set(handle.get(), attribute.name.c_str(), attribute.value.data(),
                               attribute.value.size()),
              ("set " + escaped(attribute.name)).c_str());
    }
}

void ExtWriter::open_data(ext2_ino_t inode)
{
    check(ext2fs_file_open(fs_, inode, EXT2_FILE_WRITE, &data_), "write");
}

void ExtWriter::data(uint64_t offset, std::span<const std::byte> bytes)
{
    if (data_ == nullptr)
        open_data(current_);
    check(ext2fs_file_llseek(data_, offset, EXT2_SEEK_SET, nullptr), "write");
    while (!bytes.empty()) {
        unsigned count = 0;
        const auto wanted = static_cast<unsigned>(std::min<size_t>(bytes.size(), 1 << 20));
        check(ext2fs_file_write(data_, bytes.data(), wanted, &count), "write");
        if (count == 0)
            check(EIO, "write");
        bytes = bytes.subspan(count);
        offset += count;
    }
    written_ = std::max(written_, offset);
}

void ExtWriter::abandon()
{
    // The work fails with what was told of it.
    regular_ = false;
    if (data_ != nullptr)
        (void)ext2fs_file_close(std::exchange(data_, nullptr));
}

void ExtWriter::end()
{
    if (!regular_)
        return;
    // The last part of it may be a hole.
    if (size_ > written_) {
        if (data_ == nullptr)
            open_data(current_);
        check(ext2fs_file_set_size2(data_, static_cast<ext2_off64_t>(size_)), "write");
    }
    if (data_ != nullptr)
        check(ext2fs_file_close(std::exchange(data_, nullptr)), "write");
    regular_ = false;
}

void ExtWriter::finish()
{
    path_.clear();
    if (data_ != nullptr)
        (void)ext2fs_file_close(std::exchange(data_, nullptr));
    if (fs_ != nullptr)
        check(ext2fs_close_free(&fs_), "write");
}

}  // namespace tools::mkimage
