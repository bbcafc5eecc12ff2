// SPDX-License-Identifier: GPL-2.0-only
// Files and directories of the host with the interface of lkl::File and
// lkl::Directory, as far as trees are copied: code that is a template of these
// works on either side. See there for what the functions do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <dirent.h>
#include <lkl/file.hpp>
#include <lkl/result.hpp>

#include "common/descriptor.hpp"
#include "common/tree/image_directory.hpp"

namespace tools {

// Flags are LKL_O_* and so on, which on our hosts have the same values.
class HostFile {
public:
    HostFile() = default;
    static lkl::Result<HostFile> open(const char* path, int flags, unsigned mode = 0);

    bool is_open() const { return static_cast<bool>(file_); }
    int descriptor() const { return file_.get(); }
    lkl::Result<void> close();
    // close_copy() of descriptor.hpp.
    lkl::Result<void> write_back() const;

    lkl::Result<size_t> read_at(std::span<std::byte> buffer, uint64_t offset) const;
    lkl::Result<size_t> write_at(std::span<const std::byte> data, uint64_t offset) const;
    lkl::Result<uint64_t> seek(int64_t offset, int whence) const;
    lkl::Result<void> advise(uint64_t offset, uint64_t length, int advice) const;
    lkl::Result<void> truncate(uint64_t size) const;
    lkl::Result<void> set_owner(uint32_t uid, uint32_t gid) const;
    lkl::Result<void> set_mode(unsigned mode) const;
    lkl::Result<void> set_times(const lkl::FileTimes& times) const;
    lkl::Result<lkl::Stat> stat(unsigned mask = lkl::File::basic_stats) const;
    lkl::Result<lkl::FileSystemStat> stat_file_system() const;
    lkl::Result<void> sync_file_system() const;
    lkl::Result<size_t> list_attributes(std::span<char> names) const;
    lkl::Result<size_t> get_attribute(const char* name, std::span<std::byte> value) const;
    lkl::Result<void> set_attribute(const char* name, std::span<const std::byte> value) const;
    lkl::Result<void> remove_attribute(const char* name) const;

    lkl::Result<HostFile> open_at(const char* name, int flags, unsigned mode = 0) const;
    lkl::Result<lkl::Stat> stat_at(const char* name, unsigned mask = lkl::File::basic_stats,
                                   int flags = LKL_AT_SYMLINK_NOFOLLOW) const;
    lkl::Result<std::string> read_link_at(const char* name) const;
    lkl::Result<void> make_directory_at(const char* name, unsigned mode) const;
    lkl::Result<void> remove_at(const char* name, int flags = 0) const;
    lkl::Result<void> rename_at(const char* name, const HostFile& other,
                                const char* new_name) const;
    lkl::Result<void> make_symbolic_link_at(const char* target, const char* name) const;
    lkl::Result<void> make_node_at(const char* name, unsigned mode, uint32_t device = 0) const;
    lkl::Result<void> link_at(const char* name, const HostFile& other, const char* link) const;
    lkl::Result<void> set_owner_at(const char* name, uint32_t uid, uint32_t gid) const;
    lkl::Result<void> set_mode_at(const char* name, unsigned mode) const;
    lkl::Result<void> set_times_at(const char* name, const lkl::FileTimes& times) const;
    lkl::Result<size_t> list_attributes_at(const char* name, std::span<char> names) const;
    lkl::Result<size_t> get_attribute_at(const char* name, const char* attribute,
                                         std::span<std::byte> value) const;
    lkl::Result<void> set_attribute_at(const char* name, const char* attribute,
                                       std::span<const std::byte> value) const;
    lkl::Result<void> remove_attribute_at(const char* name, const char* attribute) const;

private:
    explicit HostFile(int descriptor) : file_(descriptor) {}

    Descriptor file_;
};

class HostDirectory {
public:
    explicit HostDirectory(HostFile file) : file_(std::move(file)) {}

    lkl::Result<const lkl::DirectoryEntry*> next();
    const HostFile& file() const { return file_; }
    HostFile release() { return std::move(file_); }

private:
    struct Close {
        void operator()(DIR* stream) const { closedir(stream); }
    };
    HostFile file_;
    std::unique_ptr<DIR, Close> stream_;  // on a descriptor of its own
    lkl::DirectoryEntry entry_;
};

// The directory type that goes with a file type.
template <typename File>
struct DirectoryOf;
template <>
struct DirectoryOf<lkl::File> {
    using Type = ImageDirectory;
};
template <>
struct DirectoryOf<HostFile> {
    using Type = HostDirectory;
};

}  // namespace tools
