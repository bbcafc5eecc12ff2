// SPDX-License-Identifier: GPL-2.0-only
// How much there is to be stored: what the estimates of size rest on.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/tree/entry_sink.hpp"

namespace tools::mkimage {

// Sums over parts, each of which is rounded up to blocks: of 512 bytes to 1 MiB.
class BlockSums {
public:
    static constexpr unsigned smallest = 9;  // 1 << 9 bytes
    static constexpr unsigned largest = 20;

    void add(uint64_t bytes);
    // block_size: in bytes; others than powers of two are rounded up to one.
    uint64_t of(uint64_t block_size) const;

private:
    std::array<uint64_t, largest - smallest + 1> sums_{};
};

// Sent between processes as it is in memory.
struct Contents {
    uint64_t files = 0;            // of all kinds, each once, with the top
    uint64_t directory_count = 0;  // of these, with the top
    uint64_t symlinks = 0;
    uint64_t others = 0;  // devices, FIFOs, sockets
    uint64_t names = 0;   // but the top's
    uint64_t name_bytes = 0;
    uint64_t bytes = 0;         // of data, without holes
    BlockSums data;             // each piece of data between holes
    uint64_t pieces = 0;        // of data, beyond one a file
    uint64_t long_files = 0;    // beyond the blocks that an inode of ext2 lists itself
    uint64_t regions = 0;       // of their 4 MiB each that hold data: an indirect block
    BlockSums directories;      // as ext4 stores them, with the room that grown ones leave
    BlockSums fat_directories;  // as FAT does
    uint64_t top_slots = 0;     // of FAT's 32 bytes that the top needs
    uint64_t long_links = 0;    // symbolic links that do not fit into an inode of ext4
    uint64_t attributed = 0;    // files whose extended attributes do not fit there
    uint64_t attribute_bytes = 0;

    // The top directory itself, where the source says what it is.
    struct Top {
        bool known = false;
        bool attributes = false;  // has extended ones
        uint32_t mode = 0755;
        uint32_t uid = 0;
        uint32_t gid = 0;
        int64_t seconds = 0;  // of its last change
    } top;
};

// Adds up what it is given; data are not looked at. One thread.
class ContentsSink final : public EntrySink {
public:
    // sockets: they will be stored as well.
    explicit ContentsSink(bool sockets = true) : sockets_(sockets) {}

    void begin(const Entry& entry) override;
    void abandon() override {}
    void end() override {}
    bool holds_sockets() const override { return sockets_; }
    std::span<std::byte> space() override { return buffer_; }
    void data(uint64_t, size_t) override {}
    void align() override {}

    // What has been given; once.
    Contents finish();

private:
    struct Directory {
        uint64_t linear = 0;  // bytes of ext4's entries
        uint64_t slots = 0;   // of FAT
    };

    void count(EntryType type);
    void add_name(const std::string& path);
    void add_data(const Entry& entry);
    void add_attributes(const Entry& entry);
    void set_top(const Entry& entry);

    const bool sockets_;
    Contents contents_;
    std::unordered_map<std::string, Directory> directories_;
    std::array<std::byte, 4096> buffer_;
};

}  // namespace tools::mkimage
