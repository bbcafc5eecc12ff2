// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/tree_writer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/asm/unistd.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/stat.h>

#include "common/tree/attribute_reader.hpp"
#include "common/tree/hole_finder.hpp"

namespace tools {

namespace {

constexpr int create_new = LKL_O_WRONLY | LKL_O_CREAT | LKL_O_EXCL | LKL_O_NOFOLLOW;
constexpr int open_existing = LKL_O_WRONLY | LKL_O_NOFOLLOW | LKL_O_NONBLOCK;
constexpr size_t copy_buffer = 1 << 20;  // bytes

// The type bits of a mode.
uint32_t type_bits(EntryType type)
{
    switch (type) {
    case EntryType::character_device:
        return LKL_S_IFCHR;
    case EntryType::block_device:
        return LKL_S_IFBLK;
    case EntryType::fifo:
        return LKL_S_IFIFO;
    case EntryType::socket:
        return LKL_S_IFSOCK;
    default:
        return LKL_S_IFREG;
    }
}

bool is_device(EntryType type)
{
    return type == EntryType::character_device || type == EntryType::block_device;
}

// The file system has no hard links, or not so many.
bool cannot_link(int code)
{
    return code == LKL_EPERM || code == LKL_EOPNOTSUPP || code == LKL_EMLINK || code == LKL_ENOSYS;
}

// copy_file_range(2) to the same place of another file: bytes, or a negative errno.
long copy_range(const lkl::File& from, const lkl::File& to, uint64_t offset, uint64_t length)
{
    constexpr uint64_t most = uint64_t{1} << 30;  // at a time
    auto from_offset = static_cast<int64_t>(offset);
    int64_t to_offset = from_offset;
    return to.kernel().syscall(__lkl__NR_copy_file_range, from.descriptor(), &from_offset,
                               to.descriptor(), &to_offset, std::min(length, most), 0);
}

lkl::Error make_error(int code, std::string what)
{
    lkl::Error error;
    error.code = code;
    error.what = std::move(what);
    return error;
}

}  // namespace

template <typename File>
TreeWriter<File>::TreeWriter(File top, const WriteOptions& options, const ErrorTexts& texts,
                             Failures& failures)
    : options_(options),
      texts_(texts),
      failures_(failures),
      settings_(options_, texts, failures),
      stack_(std::move(top), [this](Level& level, std::string_view path) { leave(level, path); })
{
    enter(false);
}

template <typename File>
auto TreeWriter<File>::failure(const lkl::Error& error, std::string_view path) const -> EntryFailure
{
    return {texts_.failure(error, path)};
}

template <typename File>
template <typename T>
T TreeWriter<File>::check(lkl::Result<T> result) const
{
    if (!result)
        throw failure(result.error(), entry_.path);
    if constexpr (!std::is_void_v<T>)
        return *std::move(result);
}

// A directory that was there before may give what is made in it a group or ACLs.
template <typename File>
bool TreeWriter<File>::directory_inherits(const File& directory)
{
    const auto stat = directory.stat();
    if (!stat || (stat->stx_mode & LKL_S_ISGID) != 0)
        return true;
    std::array<std::byte, 1> none;
    const auto acl = directory.get_attribute("system.posix_acl_default", std::span(none).first(0));
    return acl && *acl > 0;
}

template <typename File>
void TreeWriter<File>::begin_whole(const Entry& entry)
{
    at_once_ = true;
    begin(entry);
    at_once_ = false;
}

template <typename File>
void TreeWriter<File>::begin(const Entry& entry)
{
    entry_ = entry;
    made_ = false;
    written_ = bytes_ = 0;
    behind_.restart();
    skipping_ = !refused_.empty() && entry.path.starts_with(refused_) &&
                (entry.path.size() == refused_.size() || entry.path[refused_.size()] == '/');
    if (skipping_)
        return;
    try {
        make(entry_);
        if (!skipping_ && entry_.type != EntryType::regular) {
            lost_.remove(entry_.path);
            failures_.count(entry_.type);
        }
    } catch (const EntryFailure& caught) {
        if (entry.type == EntryType::directory)
            refused_ = entry.path;
        fail(caught);
    }
}

template <typename File>
void TreeWriter<File>::data(uint64_t offset, std::span<const std::byte> bytes)
{
    if (skipping_)
        return;
    try {
        write(offset, bytes);
    } catch (const EntryFailure& caught) {
        fail(caught);
    }
}

template <typename File>
uint64_t TreeWriter<File>::share(const lkl::File& source, const Extent& extent)
{
    uint64_t done = 0;
    if constexpr (std::is_same_v<File, lkl::File>) {
        // An error comes again, with its reason, when the rest is read or written.
        while (!skipping_ && file_.is_open() && done < extent.length) {
            const uint64_t offset = extent.offset + done;
            const long count = copy_range(source, file_, offset, extent.length - done);
            if (count <= 0)
                break;
            done += static_cast<uint64_t>(count);
            bytes_ += static_cast<uint64_t>(count);
            written_ = std::max(written_, extent.offset + done);
        }
    }
    return done;
}

template <typename File>
void TreeWriter<File>::abandon()
{
    // Who calls this has told why.
    drop();
    lost_.add(entry_.path);
}

template <typename File>
void TreeWriter<File>::end()
{
    if (skipping_ || !file_.is_open())
        return;
    try {
        finish_regular();
        lost_.remove(entry_.path);
        if (entry_.type == EntryType::regular)
            failures_.count(entry_.type);
        failures_.count_bytes(bytes_);
    } catch (const EntryFailure& caught) {
        fail(caught);
    }
}

template <typename File>
void TreeWriter<File>::finish()
{
    // The end of a file did not come, since the source can give no more.
    if (made_)
        drop();
    if (auto left = stack_.climb_to({}); !left)
        throw texts_.failure(left.error(), stack_.path());
    leave(stack_.top(), {});
    // Where there was nothing but the top, a directory may have been entered since.
    link_directory_ = {};
    file_ = {};
}

// The current entry is not to be; what there is of it goes.
template <typename File>
void TreeWriter<File>::drop()
{
    file_ = {};
    skipping_ = true;
    if (made_) {
        const File& directory = stack_.current().directory;
        if constexpr (of_host)
            unfinished_.remove(directory, name_.c_str());
        else
            (void)directory.remove_at(name_.c_str());
    }
    made_ = false;
}

template <typename File>
void TreeWriter<File>::fail(const EntryFailure& caught)
{
    drop();
    lost_.add(entry_.path);
    failures_.add(caught.error);
}

// Makes the directory of an entry the current one. Directories that no entry has
// made are made here, as mkdir -p does.
template <typename File>
void TreeWriter<File>::go_to(std::string_view directory)
{
    std::string_view rest = check(stack_.climb_to(directory));
    while (!rest.empty()) {
        const std::string name(take_name(rest));
        if (!is_name(name))
            throw failure(make_error(LKL_EINVAL, "write outside of the destination"), entry_.path);
        const Level& parent = stack_.current();
        if (parent.names != NameRule::exact && parent.directory.stat_at(name.c_str())) {
            check_name(name);
            add_name(name);
        }
        auto entered = stack_.descend(name);
        bool made = false;
        if (!entered && entered.error().code == LKL_ENOENT) {
            check(stack_.current().directory.make_directory_at(name.c_str(), 0755));
            add_name(name);
            made = true;
            entered = stack_.descend(name);
        }
        check(std::move(entered));
        enter(made);
    }
}

// The current directory has just been entered.
template <typename File>
void TreeWriter<File>::enter(bool made)
{
    Level& level = stack_.current();
    level.made = made;
    if (!made)
        level.inherits = directory_inherits(level.directory);
    names_.enter(level, stack_.path());
}

// What has the name in the current directory was not made by this copy under another one.
template <typename File>
void TreeWriter<File>::check_name(const std::string& name)
{
    const auto other = names_.other(stack_.current(), stack_.path(), name);
    if (!other)
        return;
    const std::string taken = *other == name ? "another" : '"' + *other + '"';
    throw failure(make_error(LKL_EEXIST, "use \"" + name + "\" as a name: the file system takes " +
                                             "it for " + taken + ", which was made before"),
                  entry_.path);
}

template <typename File>
void TreeWriter<File>::add_name(const std::string& name)
{
    names_.add(stack_.current(), stack_.path(), name);
}

template <typename File>
void TreeWriter<File>::make(const Entry& entry)
{
    if (entry.path.empty()) {
        if (entry.type != EntryType::directory)
            throw failure(make_error(LKL_EISDIR, "replace the destination itself"), entry.path);
        check(stack_.climb_to({}));
        stack_.top().settle = true;
        stack_.top().entry = entry;
        return;
    }
    const size_t slash = entry.path.rfind('/');
    const std::string_view path = entry.path;
    go_to(slash == std::string::npos ? std::string_view() : path.substr(0, slash));
    name_ = slash == std::string::npos ? path : path.substr(slash + 1);
    if (!is_name(name_))
        throw failure(make_error(LKL_EINVAL, "write outside of the destination"), entry.path);
    switch (entry.type) {
    case EntryType::directory:
        make_directory(entry);
        break;
    case EntryType::regular:
        make_regular();
        break;
    case EntryType::hard_link:
        make_hard_link(entry);
        break;
    default:
        make_other(entry);
        break;
    }
}

// The permission bits that a file is made with; the others come at its end.
template <typename File>
uint32_t TreeWriter<File>::creation_mode() const
{
    return entry_.mode & (options_.private_tree ? 0777 : 0700);
}

template <typename File>
MadeAs TreeWriter<File>::made_as(uint32_t mode)
{
    return {mode, stack_.current().inherits};
}

template <typename File>
auto TreeWriter<File>::directory_in_the_way() const -> EntryFailure
{
    return failure(make_error(LKL_EISDIR, "replace a directory by a file"), entry_.path);
}

// What has the current name already is not what the tree is read from.
template <typename File>
void TreeWriter<File>::require_replaceable()
{
    if (options_.kept.empty())
        return;
    // A link to it counts: that may be the name by which its user knows it.
    const auto stat = stack_.current().directory.stat_at(name_.c_str(), identity_mask, 0);
    if (stat && std::ranges::find(options_.kept, identity_of(*stat)) != options_.kept.end())
        throw failure(make_error(LKL_ETXTBSY, "replace the image itself"), entry_.path);
}

// Calls make(), and once more when something had to make room for it.
template <typename File>
template <typename Make>
auto TreeWriter<File>::replacing(const Make& make)
{
    auto made = make();
    if (made || made.error().code != LKL_EEXIST)
        return made;
    check_name(name_);
    const File& directory = stack_.current().directory;
    const auto stat = directory.stat_at(name_.c_str());
    if (stat && (stat->stx_mode & LKL_S_IFMT) == LKL_S_IFDIR)
        throw directory_in_the_way();
    require_replaceable();
    check(directory.remove_at(name_.c_str()));
    names_.remove(stack_.current(), stack_.path(), name_);
    return make();
}

template <typename File>
void TreeWriter<File>::make_directory(const Entry& entry)
{
    Level& parent = stack_.current();
    auto made = parent.directory.make_directory_at(name_.c_str(), 0700);
    if (!made && made.error().code != LKL_EEXIST)
        throw failure(made.error(), entry.path);
    if (!made)
        check_name(name_);
    add_name(name_);
    if (auto entered = stack_.descend(name_); !entered) {
        const int code = entered.error().code;
        if (code == LKL_ENOTDIR || code == LKL_ELOOP)
            throw failure(make_error(code, "replace a file by a directory"), entry.path);
        throw failure(entered.error(), entry.path);
    }
    enter(made.has_value());
    stack_.current().settle = true;
    stack_.current().entry = entry;
}

template <typename File>
File TreeWriter<File>::create_regular()
{
    const File& directory = stack_.current().directory;
    if constexpr (of_host)
        return check(unfinished_.create(directory, name_.c_str(), creation_mode(), at_once_));
    else
        return check(replacing(
            [&] { return directory.open_at(name_.c_str(), create_new, creation_mode()); }));
}

template <typename File>
void TreeWriter<File>::make_regular()
{
    file_ = create_regular();
    made_ = true;
    if constexpr (of_host) {
        // Else it has its name already.
        if (unfinished_.hidden())
            check_name(name_);
    }
    if (modes_ != Modes::unknown)
        return;
    // Some file systems have no modes, or not all, or not until they are set.
    const auto stat = file_.stat();
    modes_ = stat && (stat->stx_mode & 07777) == creation_mode() ? Modes::kept : Modes::changed;
}

template <typename File>
void TreeWriter<File>::make_hard_link(const Entry& entry)
{
    const size_t slash = entry.link.rfind('/');
    const std::string_view link = entry.link;
    const std::string target(slash == std::string::npos ? link : link.substr(slash + 1));
    if (!is_name(target))
        throw failure(make_error(LKL_EINVAL, "link to what is outside of the destination"),
                      entry.path);
    if (lost_.contains(link))
        throw failure(
            make_error(LKL_ENOENT, "make hard link: " + entry.link + " itself was not copied"),
            entry.path);
    if (entry.link == entry.path)
        return;
    const File& from =
        link_directory(slash == std::string::npos ? std::string_view() : link.substr(0, slash));
    const File& to = stack_.current().directory;
    auto linked = replacing([&] { return from.link_at(target.c_str(), to, name_.c_str()); });
    if (linked) {
        add_name(name_);
        return;
    }
    if (!cannot_link(linked.error().code))
        throw failure(linked.error(), entry.path);
    failures_.warn_once("hard links", texts_.failure(linked.error(), entry.path).what() +
                                          std::string(": the file is copied instead"));
    copy_instead(from, target);
}

// A second copy of a file that was made before.
template <typename File>
void TreeWriter<File>::copy_instead(const File& directory, const std::string& name)
{
    const File source =
        check(directory.open_at(name.c_str(), LKL_O_RDONLY | LKL_O_NOFOLLOW | LKL_O_NONBLOCK));
    const lkl::Stat stat = check(source.stat());
    AttributeReader<File> attributes;
    check(attributes.read(source, entry_.attributes));
    HoleFinder<File> holes(check(source.stat_file_system()));
    if (!check(holes.find(source, stat, entry_.extents)))
        entry_.extents.assign(1, Extent{0, stat.stx_size});
    entry_.size = stat.stx_size;
    make_regular();
    std::vector<std::byte> buffer(copy_buffer);
    for (Extent extent : entry_.extents) {
        while (extent.length > 0) {
            const auto wanted = static_cast<size_t>(std::min<uint64_t>(extent.length, copy_buffer));
            const size_t count =
                check(source.read_at(std::span(buffer).first(wanted), extent.offset));
            if (count == 0)
                throw failure(make_error(LKL_EIO, "read all of it again"), entry_.path);
            write(extent.offset, std::span(buffer).first(count));
            extent.offset += count;
            extent.length -= count;
        }
    }
    finish_regular();
    // What it is now.
    entry_.type = EntryType::regular;
    failures_.count(entry_.type);
    failures_.count_bytes(bytes_);
}

// Symbolic links and files without data.
template <typename File>
void TreeWriter<File>::make_other(const Entry& entry)
{
    const File& directory = stack_.current().directory;
    MadeAs made = made_as(0777);
    auto result = replacing([&] {
        if (entry.type == EntryType::symbolic_link)
            return directory.make_symbolic_link_at(entry.link.c_str(), name_.c_str());
        made.mode = creation_mode();
        return directory.make_node_at(name_.c_str(), type_bits(entry.type) | made.mode,
                                      lkl::device_number(entry.device_major, entry.device_minor));
    });
    if (!result && result.error().code == LKL_EPERM && !options_.root() && is_device(entry.type)) {
        failures_.warn_once("devices",
                            std::string(texts_.failure(result.error(), entry.path).what()) +
                                ": devices are left out");
        lost_.add(entry.path);
        skipping_ = true;
        return;
    }
    check(std::move(result));
    add_name(name_);
    if (modes_ == Modes::changed)
        made.mode = MadeAs::unknown_mode;
    settings_.apply_at(directory, name_.c_str(), entry, made, entry.path);
}

template <typename File>
void TreeWriter<File>::write(uint64_t offset, std::span<const std::byte> bytes)
{
    // Formats like cpio store a file's data with its last name.
    if (!file_.is_open()) {
        file_ = check(stack_.current().directory.open_at(name_.c_str(), open_existing));
        check(file_.truncate(0));
    }
    while (!bytes.empty()) {
        auto count = file_.write_at(bytes, offset);
        if (!count) {
            lkl::Error error = std::move(count).error();
            error.what = "write at byte " + std::to_string(offset) + error.what.substr(5);
            throw failure(error, entry_.path);
        }
        if (*count == 0)
            throw failure(make_error(LKL_EIO, "write: nothing was written"), entry_.path);
        offset += *count;
        bytes_ += *count;
        bytes = bytes.subspan(*count);
    }
    written_ = std::max(written_, offset);
    if constexpr (std::is_same_v<File, lkl::File>)
        behind_.passed(file_, written_);
}

template <typename File>
void TreeWriter<File>::finish_regular()
{
    // The last part of it may be a hole.
    if (entry_.size > written_)
        check(file_.truncate(entry_.size));
    // Of data that are lost the next call tells; a setting that fails may not count.
    if constexpr (of_host)
        check(file_.write_back());
    check(settings_.apply(
        file_, entry_,
        made_as(modes_ == Modes::kept && made_ ? creation_mode() : MadeAs::unknown_mode),
        entry_.path));
    check(file_.close());
    if constexpr (of_host) {
        if (unfinished_.hidden())
            require_replaceable();
        auto finished = unfinished_.finish(stack_.current().directory, name_.c_str());
        if (!finished && finished.error().code == LKL_EISDIR)
            throw directory_in_the_way();
        check(std::move(finished));
    }
    made_ = false;
    add_name(name_);
}

// A directory gets what its entry said.
template <typename File>
void TreeWriter<File>::leave(Level& level, std::string_view path)
{
    if (level.settle) {
        // One that was there loses the ACLs that its entry does not have; a new one,
        // those that it has inherited.
        if (auto set =
                settings_.apply(level.directory, level.entry, {MadeAs::unknown_mode, true}, path);
            !set)
            failures_.add(texts_.failure(set.error(), path));
    }
    if (!options_.any_order)
        return;
    std::string key(path);
    const auto before = left_.find(key);
    if (level.settle) {
        left_[std::move(key)] = file_times(level.entry);
    } else if (before != left_.end()) {
        if (auto set = level.directory.set_times(before->second); !set)
            failures_.add(texts_.failure(set.error(), path));
    }
}

template <typename File>
const File& TreeWriter<File>::link_directory(std::string_view path)
{
    if (path == stack_.path())
        return stack_.current().directory;
    if (!link_directory_.is_open() || path != link_directory_path_) {
        link_directory_ = check(stack_.open(path));
        link_directory_path_ = path;
    }
    return link_directory_;
}

template class TreeWriter<lkl::File>;
template class TreeWriter<HostFile>;

}  // namespace tools
