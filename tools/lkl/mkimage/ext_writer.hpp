// SPDX-License-Identifier: GPL-2.0-only
// Makes files in an ext2, ext3 or ext4 file system by libext2fs, for images that must be
// the same each time: a kernel has a clock that goes on, draws the generation numbers of
// inodes at random, and puts data where they are when it comes to write them. What is
// made here depends on what is given, and on its order, alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>

#include "common/tree/entry_sink.hpp"
#include "common/tree/failures.hpp"

namespace tools::mkimage {

// One thread. Whatever fails ends the work: ToolError, ExitCode::output, its cause ENOSPC
// when the file system is full.
class ExtWriter final : public EntryConsumer {
public:
    // descriptor: of the file that it is in, from its start. shown: for messages. time: of
    // all that is made, seconds since 1970. failures: is told what is a warning; kept. Opens
    // the file anew.
    ExtWriter(int descriptor, std::string shown, int64_t time, const std::string& hash_seed,
              Failures& failures);
    ExtWriter(const ExtWriter&) = delete;
    ExtWriter& operator=(const ExtWriter&) = delete;
    ~ExtWriter() override;

    void begin(const Entry& entry) override;
    void data(uint64_t offset, std::span<const std::byte> bytes) override;
    void abandon() override;
    void end() override;
    // Writes it all out; after it, nothing.
    void finish() override;

private:
    struct CloseAttributes {
        void operator()(ext2_xattr_handle* handle) const { (void)ext2fs_xattrs_close(&handle); }
    };
    using Attributes = std::unique_ptr<ext2_xattr_handle, CloseAttributes>;
    struct Node {
        ext2_ino_t inode = 0;
        bool directory = false;
    };

    void make(const Entry& entry);
    Node node_at(const std::string& path) const;
    ext2_ino_t directory_at(const std::string& path);
    ext2_ino_t make_directory(ext2_ino_t parent, const std::string& name);
    void make_directory_entry(const Entry& entry, ext2_ino_t parent, const std::string& name);
    void make_link(const Entry& entry, ext2_ino_t parent, const std::string& name);
    void copy_instead(const Entry& entry, ext2_ino_t target, ext2_ino_t parent,
                      const std::string& name);
    void copy_data(ext2_ino_t from);
    ext2_ino_t make_symbolic_link(const Entry& entry, ext2_ino_t parent, const std::string& name);
    ext2_ino_t make_file(const Entry& entry, ext2_ino_t parent, const std::string& name);
    void remove(const std::string& path, ext2_ino_t parent, const std::string& name);
    void add_name(ext2_ino_t parent, const std::string& name, ext2_ino_t inode, int type);
    void set_inode(ext2_ino_t number, const Entry& entry);
    void set_attributes(ext2_ino_t number, const Entry& entry);
    Attributes open_attributes(ext2_ino_t number, const char* what);
    std::vector<Attribute> attributes_of(ext2_ino_t number);
    void open_data(ext2_ino_t inode);
    template <typename Call>
    void with_room_in(ext2_ino_t directory, const char* what, const Call& call);
    void check(errcode_t code, const char* what) const;

    const std::string shown_;
    const int64_t time_;
    Failures& failures_;
    ext2_filsys fs_ = nullptr;
    std::unordered_map<std::string, Node> nodes_;  // by their paths
    ext2_file_t data_ = nullptr;                   // of the current file
    std::string path_;                             // of the current entry
    uint64_t size_ = 0;                            // of the current file
    uint64_t written_ = 0;                         // its end, so far
    bool regular_ = false;
    ext2_ino_t current_ = 0;
};

}  // namespace tools::mkimage
