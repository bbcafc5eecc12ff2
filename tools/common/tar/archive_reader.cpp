// SPDX-License-Identifier: GPL-2.0-only
#include "common/tar/archive_reader.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <new>
#include <optional>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include "common/report.hpp"
#include "common/tar/acl.hpp"
#include "common/tar/pax_records.hpp"
#include "common/tree/directory_stack.hpp"

namespace tools {

namespace {

// Formats with a table at their end, which a stream does not show in time.
bool needs_seeking(int descriptor)
{
    using namespace std::string_view_literals;
    constexpr std::array magics{"7z\xbc\xaf\x27\x1c"sv, "PK\x03\x04"sv, "Rar!"sv, "xar!"sv,
                                "MSCF"sv};
    struct stat status;
    std::array<char, 8> start{};
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode) ||
        pread(descriptor, start.data(), start.size(), lseek(descriptor, 0, SEEK_CUR)) < 0)
        return false;
    const std::string_view text(start.data(), start.size());
    return std::any_of(magics.begin(), magics.end(),
                       [text](std::string_view magic) { return text.starts_with(magic); });
}

int base_format(archive* reader)
{
    return archive_format(reader) & ARCHIVE_FORMAT_BASE_MASK;
}

// libarchive converts names in Unicode by the locale of the thread.
class UnicodeScope {
public:
    explicit UnicodeScope(locale_t locale) : before_(uselocale(locale)) {}
    UnicodeScope(const UnicodeScope&) = delete;
    UnicodeScope& operator=(const UnicodeScope&) = delete;
    ~UnicodeScope() { uselocale(before_); }

private:
    const locale_t before_;
};

}  // namespace

std::optional<std::string> path_below(std::string_view path)
{
    std::string result;
    while (!path.empty()) {
        const std::string_view name = take_name(path);
        if (name.empty() || name == ".")
            continue;
        if (!is_name(name))
            return std::nullopt;
        if (!result.empty())
            result += '/';
        result += name;
    }
    return result;
}

ArchiveReader::ArchiveReader(int descriptor, std::string name, const ArchiveOptions& options,
                             Failures& failures, Progress& progress)
    : name_(std::move(name)),
      options_(options),
      failures_(failures),
      progress_(progress),
      archive_(archive_read_new()),
      locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr))
{
    if (!archive_)
        throw std::bad_alloc();
    archive_read_support_format_all(archive_.get());
    int result = ARCHIVE_OK;
    if (needs_seeking(descriptor)) {
        result = archive_read_open_fd(archive_.get(), descriptor, ArchiveInput::block_size);
    } else {
        input_ = std::make_unique<ArchiveInput>(descriptor, name_);
        result = archive_read_open(archive_.get(), this, nullptr, &read_callback, nullptr);
    }
    status_ = result < ARCHIVE_WARN ? result : next_header();
    if (status_ == ARCHIVE_EOF && archive_filter_bytes(archive_.get(), 0) == 0)
        throw ToolError(ExitCode::archive, escaped(name_) + ": the archive is empty");
    // For libarchive two sectors of zeroes are an archive without members, whatever
    // follows: a disk image, for instance.
    if (status_ == ARCHIVE_EOF && input_ && !input_->only_zeroes(0))
        throw ToolError(ExitCode::archive,
                        escaped(name_) + (input_->error().empty() ? ": is no archive"
                                                                  : ": cannot read the archive: " +
                                                                        escaped(input_->error())));
    if (status_ < ARCHIVE_WARN)
        throw ToolError(ExitCode::archive,
                        escaped(name_) + ": cannot read the archive: " + error_text());
}

la_ssize_t ArchiveReader::read_callback(archive* reader, void* self, const void** block)
{
    ArchiveInput& input = *static_cast<ArchiveReader*>(self)->input_;
    const std::byte* bytes = nullptr;
    size_t length = 0;
    if (!input.next(bytes, length)) {
        archive_set_error(reader, EIO, "%s", input.error().c_str());
        return -1;
    }
    *block = bytes;
    return static_cast<la_ssize_t>(length);
}

std::string ArchiveReader::error_text() const
{
    if (const char* const text = archive_error_string(archive_.get()))
        return escaped(text);
    return escaped(input_ && !input_->error().empty() ? input_->error() : "damaged");
}

// Whether libarchive warns of a name that the locale has no characters for. Such names are
// kept as the bytes that they are; all else that it warns of, an attribute for instance, is
// lost.
bool ArchiveReader::is_about_charset() const
{
    const char* const text = archive_error_string(archive_.get());
    return text != nullptr && std::string_view(text).ends_with("to current locale.");
}

void ArchiveReader::fail_after(la_int64_t position, std::string_view why)
{
    failures_.add({ExitCode::archive, escaped(name_) + ": after byte " + std::to_string(position) +
                                          ": " + std::string(why)});
}

void ArchiveReader::fail(std::string_view path, std::string_view why)
{
    failures_.add(ToolError(ExitCode::archive,
                            escaped(name_) + ": " + escaped(path) + ": " + std::string(why))
                      .about(path));
}

int ArchiveReader::next_header()
{
    if (input_)
        input_->keep(static_cast<uint64_t>(archive_filter_bytes(archive_.get(), 0)));
    const UnicodeScope scope(locale_ ? locale_.get() : LC_GLOBAL_LOCALE);
    return archive_read_next_header(archive_.get(), &member_);
}

void ArchiveReader::run(EntrySink& sink)
{
    for (;; status_ = next_header()) {
        if (status_ == ARCHIVE_EOF) {
            check_end();
            return;
        }
        if (status_ < ARCHIVE_WARN && status_ != ARCHIVE_RETRY) {
            fail_after(archive_filter_bytes(archive_.get(), 0), error_text());
            return;
        }
        const bool usable = status_ != ARCHIVE_RETRY && convert();
        if (input_)
            input_->forget();
        if (status_ == ARCHIVE_RETRY) {
            fail_after(archive_filter_bytes(archive_.get(), 0), error_text());
        } else if (usable && (options_.exclude.empty() || !options_.exclude.match(entry_.path))) {
            if (status_ == ARCHIVE_WARN && !is_about_charset())
                fail(entry_.path, error_text());
            if (entry_.type == EntryType::socket && !sink.holds_sockets())
                failures_.warn(escaped(entry_.path) + ": socket: left out");
            else
                give(sink);
        }
    }
}

// What can be wrong although the last member was read.
void ArchiveReader::check_end()
{
    if (!input_)
        return;
    check_end_of_tar();
    check_behind();
    input_->forget();
    if (!input_->read_rest())
        fail_after(archive_filter_bytes(archive_.get(), 0), escaped(input_->error()));
}

// Of a tar archive whose writer was killed, nothing but its end may be missing.
void ArchiveReader::check_end_of_tar()
{
    constexpr size_t block_size = 512;
    if (base_format(archive_.get()) != ARCHIVE_FORMAT_TAR)
        return;
    const auto position = static_cast<uint64_t>(archive_read_header_position(archive_.get()));
    if (input_->kept(position, block_size) != std::string(block_size, '\0'))
        fail_after(static_cast<la_int64_t>(position),
                   "the end of the archive is missing, and members may be");
}

// Archives that were put one behind the other: of formats that say where they end, libarchive
// reads the first. Others it reads to the end, or by a table there.
void ArchiveReader::check_behind()
{
    const int format = base_format(archive_.get());
    if (format != ARCHIVE_FORMAT_TAR && format != ARCHIVE_FORMAT_CPIO)
        return;
    const la_int64_t position = archive_filter_bytes(archive_.get(), 0);
    if (!input_->only_zeroes(static_cast<uint64_t>(position)) && input_->error().empty())
        fail_after(position, "something else follows the end of the archive");
}

// Fills in entry_. False: it is left out, which was told.
bool ArchiveReader::convert()
{
    const char* const path = archive_entry_pathname(member_);
    const char* const hard_link = archive_entry_hardlink(member_);
    const char* const symbolic_link = archive_entry_symlink(member_);
    entry_.path = path != nullptr ? path : "";
    entry_.link = hard_link != nullptr ? hard_link : symbolic_link != nullptr ? symbolic_link : "";
    entry_.mode = static_cast<uint32_t>(archive_entry_perm(member_));
    set_times();
    set_attributes();
    if (input_)
        apply_pax_records();
    if (entry_.path.empty()) {
        fail_after(archive_filter_bytes(archive_.get(), 0), "a member without a name");
        return false;
    }
    if (!set_type())
        return false;
    const int64_t uid = archive_entry_uid(member_);
    const int64_t gid = archive_entry_gid(member_);
    if (uid < 0 || gid < 0 || uid >= UINT32_MAX || gid >= UINT32_MAX) {
        fail(entry_.path, "belongs to no possible user or group");
        return false;
    }
    entry_.uid = static_cast<uint32_t>(uid);
    entry_.gid = static_cast<uint32_t>(gid);
    entry_.size = archive_entry_size_is_set(member_) != 0 && archive_entry_size(member_) > 0
                      ? static_cast<uint64_t>(archive_entry_size(member_))
                      : 0;
    entry_.device_major = static_cast<uint32_t>(archive_entry_rdevmajor(member_));
    entry_.device_minor = static_cast<uint32_t>(archive_entry_rdevminor(member_));

    auto below = path_below(entry_.path);
    auto link = entry_.type == EntryType::hard_link ? path_below(entry_.link)
                                                    : std::optional<std::string>(entry_.link);
    if (!below || !link) {
        fail(entry_.path, "leads out of the destination: left out");
        return false;
    }
    entry_.path = *std::move(below);
    entry_.link = *std::move(link);
    return true;
}

bool ArchiveReader::set_type()
{
    if (archive_entry_hardlink(member_) != nullptr) {
        entry_.type = EntryType::hard_link;
        return true;
    }
    switch (archive_entry_filetype(member_)) {
    case AE_IFREG:
        entry_.type = EntryType::regular;
        return true;
    case AE_IFDIR:
        entry_.type = EntryType::directory;
        return true;
    case AE_IFLNK:
        entry_.type = EntryType::symbolic_link;
        return true;
    case AE_IFCHR:
        entry_.type = EntryType::character_device;
        return true;
    case AE_IFBLK:
        entry_.type = EntryType::block_device;
        return true;
    case AE_IFIFO:
        entry_.type = EntryType::fifo;
        return true;
    case AE_IFSOCK:
        entry_.type = EntryType::socket;
        return true;
    default:
        fail(entry_.path, "is of no known type of file");
        return false;
    }
}

void ArchiveReader::set_times()
{
    entry_.mtime = {std::time(nullptr), 0};
    if (archive_entry_mtime_is_set(member_) != 0)
        entry_.mtime = {archive_entry_mtime(member_),
                        static_cast<uint32_t>(archive_entry_mtime_nsec(member_))};
    entry_.atime = entry_.mtime;
    if (archive_entry_atime_is_set(member_) != 0)
        entry_.atime = {archive_entry_atime(member_),
                        static_cast<uint32_t>(archive_entry_atime_nsec(member_))};
}

void ArchiveReader::set_attributes()
{
    entry_.attributes.clear();
    archive_entry_xattr_reset(member_);
    const char* name = nullptr;
    const void* value = nullptr;
    size_t size = 0;
    while (archive_entry_xattr_next(member_, &name, &value, &size) == ARCHIVE_OK)
        entry_.attributes.push_back({name, std::string(static_cast<const char*>(value), size)});
}

// Puts what a pax header says exactly in the place of what libarchive understood.
void ArchiveReader::apply_pax_records()
{
    const la_int64_t position = archive_read_header_position(archive_.get());
    auto records = read_pax_records(
        [this](uint64_t from, size_t length) { return input_->kept(from, length); },
        static_cast<uint64_t>(position));
    if (records) {
        if (records->path)
            entry_.path = *std::move(records->path);
        if (records->link && !entry_.link.empty())
            entry_.link = *std::move(records->link);
        entry_.mode = records->mode.value_or(entry_.mode);
        entry_.mtime = records->mtime.value_or(entry_.mtime);
        entry_.atime = records->atime.value_or(records->mtime.value_or(entry_.atime));
        if (!records->attributes.empty())
            entry_.attributes = std::move(records->attributes);
    }
    if (records && !records->selinux.empty() && !has_attribute("security.selinux"))
        entry_.attributes.push_back({"security.selinux", records->selinux + '\0'});
    // ACLs that stand as attributes are exact, and in the kernel's form.
    if (has_attribute("system.posix_acl_access") || has_attribute("system.posix_acl_default"))
        return;
    add_acl("system.posix_acl_access", ARCHIVE_ENTRY_ACL_TYPE_ACCESS);
    add_acl("system.posix_acl_default", ARCHIVE_ENTRY_ACL_TYPE_DEFAULT);
}

bool ArchiveReader::has_attribute(std::string_view name) const
{
    return std::any_of(entry_.attributes.begin(), entry_.attributes.end(),
                       [name](const Attribute& attribute) { return attribute.name == name; });
}

void ArchiveReader::add_acl(const char* name, int type)
{
    auto value = acl_value(member_, type);
    if (!value)
        fail(entry_.path, "its ACL names a user or a group that this host does not have: left out");
    else if (!value->empty())
        entry_.attributes.push_back({name, *std::move(value)});
}

void ArchiveReader::show_position()
{
    const la_int64_t position = archive_filter_bytes(archive_.get(), -1);
    progress_.set_input(input_         ? input_->raw_position()
                        : position > 0 ? static_cast<uint64_t>(position)
                                       : 0);
}

void ArchiveReader::give(EntrySink& sink)
{
    options_.rewrite.apply(entry_);
    if (!options_.prefix.empty()) {
        const std::string& prefix = options_.prefix;
        entry_.path = entry_.path.empty() ? prefix : prefix + '/' + entry_.path;
        if (entry_.type == EntryType::hard_link)
            entry_.link = prefix + '/' + entry_.link;
    }
    set_extents();
    sink.begin(entry_);
    progress_.add_file();
    show_position();
    if (!options_.data) {
        sink.end();
        return;
    }
    const bool has_data = entry_.type == EntryType::regular ||
                          (entry_.type == EntryType::hard_link && entry_.size > 0);
    if (has_data && !give_data(sink)) {
        fail(entry_.path, error_text());
        sink.abandon();
        return;
    }
    sink.end();
}

// Data say where they belong; without them the archive's list of extents does.
void ArchiveReader::set_extents()
{
    entry_.sparse = false;
    entry_.extents.clear();
    if (options_.data)
        return;
    archive_entry_sparse_reset(member_);
    la_int64_t offset = 0;
    la_int64_t length = 0;
    while (archive_entry_sparse_next(member_, &offset, &length) == ARCHIVE_OK)
        entry_.extents.push_back({static_cast<uint64_t>(offset), static_cast<uint64_t>(length)});
    entry_.sparse = !entry_.extents.empty();
}

bool ArchiveReader::give_data(EntrySink& sink)
{
    for (;;) {
        const void* block = nullptr;
        size_t size = 0;
        la_int64_t offset = 0;
        const int result = archive_read_data_block(archive_.get(), &block, &size, &offset);
        if (result == ARCHIVE_EOF)
            return true;
        // A wrong checksum or length is a warning to libarchive.
        if (result != ARCHIVE_OK)
            return false;
        const auto* bytes = static_cast<const std::byte*>(block);
        while (size > 0) {
            const std::span<std::byte> room = sink.space();
            const size_t count = std::min(size, room.size());
            std::memcpy(room.data(), bytes, count);
            sink.data(static_cast<uint64_t>(offset), count);
            progress_.add_bytes(count);
            show_position();
            bytes += count;
            size -= count;
            offset += static_cast<la_int64_t>(count);
        }
    }
}

}  // namespace tools
