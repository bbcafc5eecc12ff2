// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/settings_writer.hpp"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <lkl/asm/errno.h>

#include "common/report.hpp"
#include "common/tree/host_file.hpp"

namespace tools {

namespace {

constexpr const char* access_acl = "system.posix_acl_access";
constexpr const char* default_acl = "system.posix_acl_default";
constexpr uint32_t set_id_bits = 06000;

// An open file and a name in a directory, as the same thing.
template <typename File>
struct OpenTarget {
    const File& file;

    auto set_owner(uint32_t uid, uint32_t gid) const { return file.set_owner(uid, gid); }
    auto set_mode(uint32_t mode) const { return file.set_mode(mode); }
    auto set_times(const lkl::FileTimes& times) const { return file.set_times(times); }
    auto set_attribute(const char* name, std::span<const std::byte> value) const
    {
        return file.set_attribute(name, value);
    }
    auto remove_attribute(const char* name) const { return file.remove_attribute(name); }
};

template <typename File>
struct NamedTarget {
    const File& directory;
    const char* name;

    auto set_owner(uint32_t uid, uint32_t gid) const
    {
        return directory.set_owner_at(name, uid, gid);
    }
    auto set_mode(uint32_t mode) const { return directory.set_mode_at(name, mode); }
    auto set_times(const lkl::FileTimes& times) const
    {
        return directory.set_times_at(name, times);
    }
    auto set_attribute(const char* attribute, std::span<const std::byte> value) const
    {
        return directory.set_attribute_at(name, attribute, value);
    }
    auto remove_attribute(const char* attribute) const
    {
        return directory.remove_attribute_at(name, attribute);
    }
};

// What describes the file system that a file comes from, and not the file.
bool is_of_file_system(const std::string& name)
{
    // XFS shows its ACLs a second time under these names (xattr.conf(5) leaves them
    // out as well).
    if (name.starts_with("trusted.SGI_"))
        return true;
    return name.starts_with("system.") && name != access_acl && name != default_acl;
}

// What a call on a file says that may be of its data: where the host writes behind, an error is
// told once, to whoever calls next.
bool is_of_storage(int code)
{
    return code == LKL_ENOSPC || code == LKL_EDQUOT || code == LKL_EIO;
}

// "security." of "security.selinux"; ACLs are a class of their own.
std::string attribute_class(const std::string& name)
{
    if (name.starts_with("system.posix_acl"))
        return "ACLs";
    return "extended attributes " + name.substr(0, name.find('.')) + ".*";
}

}  // namespace

lkl::FileTimes file_times(const Entry& entry)
{
    const auto convert = [](Time time) {
        lkl::FileTimes::value_type result{};
        result.tv_sec = time.seconds;
        result.tv_nsec = time.nanoseconds;
        return result;
    };
    return {convert(entry.atime), convert(entry.mtime)};
}

// What comes of a setting: what the file system does not hold, or the user may not set, is no
// failure. An error that may be of the data, too, is not told but returned.
template <typename File>
lkl::Result<void> SettingsWriter<File>::judge(const char* kind, lkl::Result<void> set,
                                              std::string_view path)
{
    if (set || is_of_storage(set.error().code))
        return set;
    const int code = set.error().code;
    const ToolError told = texts_.failure(set.error(), path);
    if (code == LKL_EPERM || code == LKL_EOPNOTSUPP || code == LKL_EINVAL)
        failures_.warn_once(kind, std::string(told.what()) + ": " + kind + " are not kept");
    else
        failures_.add(told);
    return {};
}

// False: the file belongs to another one than it should.
template <typename File>
template <typename Target>
lkl::Result<bool> SettingsWriter<File>::set_owner(const Target& target, const Entry& entry,
                                                  MadeAs made, std::string_view path)
{
    if (entry.uid == options_.uid && entry.gid == options_.gid && !made.inherits)
        return true;
    auto set = target.set_owner(entry.uid, entry.gid);
    if (set)
        return true;
    if (set.error().code == LKL_EPERM && !options_.root()) {
        // A group of one's own may do.
        if (auto group = target.set_owner(~0u, entry.gid); !group)
            set = std::move(group);
    }
    if (auto judged = judge("owners", std::move(set), path); !judged)
        return std::move(judged).error();
    return false;
}

// One failure, however many there are: where one has no room, hundreds may follow. The mode
// has to be set again if true is returned.
template <typename File>
template <typename Target>
bool SettingsWriter<File>::set_attributes(const Target& target, const Entry& entry, MadeAs made,
                                          std::string_view path)
{
    bool acl = false;
    std::optional<ToolError> first;
    size_t failed = 0;
    for (const Attribute& attribute : entry.attributes) {
        if (is_of_file_system(attribute.name))
            continue;
        auto set =
            target.set_attribute(attribute.name.c_str(), std::as_bytes(std::span(attribute.value)));
        if (set) {
            acl = acl || attribute.name == access_acl;
            continue;
        }
        const int code = set.error().code;
        const ToolError told = texts_.failure(set.error(), path);
        if (code == LKL_EOPNOTSUPP || (code == LKL_EPERM && !options_.root())) {
            const std::string kind = attribute_class(attribute.name);
            failures_.warn_once(kind, std::string(told.what()) + ": " + kind + " are not kept");
        } else {
            failed++;
            if (!first)
                first = told;
        }
    }
    if (failed > 1)
        first = ToolError(first->code(),
                          std::string(first->what()) + "; and " + std::to_string(failed - 1) +
                              " more of its attributes",
                          first->cause())
                    .about(std::string(first->path()));
    if (first)
        failures_.add(*first);
    if (made.inherits) {
        for (const char* const name : {access_acl, default_acl}) {
            bool wanted = false;
            for (const Attribute& attribute : entry.attributes)
                wanted = wanted || attribute.name == name;
            // Not there, or not possible, is as good.
            if (!wanted)
                (void)target.remove_attribute(name);
        }
    }
    return acl;
}

template <typename File>
template <typename Target>
lkl::Result<void> SettingsWriter<File>::apply_to(const Target& target, const Entry& entry,
                                                 MadeAs made, std::string_view path)
{
    // A change of owner takes capabilities and set-user-ID away; an ACL changes the
    // mode.
    const lkl::Result<bool> owned = set_owner(target, entry, made, path);
    if (!owned)
        return owned.error();
    const bool acl = set_attributes(target, entry, made, path);
    // Somebody else's program must not run with this user's rights.
    const uint32_t mode = *owned ? entry.mode : entry.mode & ~set_id_bits;
    if (entry.type != EntryType::symbolic_link &&
        (acl || made.inherits || made.mode != mode || (mode & set_id_bits) != 0)) {
        if (auto set = judge("modes", target.set_mode(mode), path); !set)
            return set;
    }
    return judge("times", target.set_times(file_times(entry)), path);
}

template <typename File>
lkl::Result<void> SettingsWriter<File>::apply(const File& file, const Entry& entry, MadeAs made,
                                              std::string_view path)
{
    return apply_to(OpenTarget<File>{file}, entry, made, path);
}

template <typename File>
void SettingsWriter<File>::apply_at(const File& directory, const char* name, const Entry& entry,
                                    MadeAs made, std::string_view path)
{
    // These have no data.
    if (auto set = apply_to(NamedTarget<File>{directory, name}, entry, made, path); !set)
        failures_.add(texts_.failure(set.error(), path));
}

template class SettingsWriter<lkl::File>;
template class SettingsWriter<HostFile>;

}  // namespace tools
