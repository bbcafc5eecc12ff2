// SPDX-License-Identifier: GPL-2.0-only
#include "durability/common/file_system.hpp"

#include <array>
#include <cstdio>

#include <sys/wait.h>

namespace lkl::test {

namespace {

constexpr uint64_t mib = 1 << 20;

}  // namespace

const std::vector<FileSystem>& file_systems()
{
    using Rule = History::NameRule;
    static const std::vector<FileSystem> list{
        // The superblock is 1024 bytes under one checksum, and is written in its place
        // (ext4_commit_super()); of a torn one, the mount fails with EBADMSG.
        {.type = "ext4",
         .size = 64 * mib,
         .make = "mkfs.ext4 -q -b 4096",
         .check = "e2fsck -fn",
         .complaint = "",
         .mounts = {{""}, {"discard"}, {"data=journal"}, {"nodelalloc"}},
         .atomic = 1024},

        {.type = "xfs",
         .size = 300 * mib,
         .make = "mkfs.xfs -q",
         .check = "xfs_repair -n",
         .complaint = "",
         .mounts = {{""}, {"discard"}}},

        // The superblock is 4096 bytes under one checksum (btrfs_check_super_csum()), and
        // the mount reads its first copy alone. What is synced goes to the log tree, each
        // file and directory by itself; of names that change hands several times until the
        // next commit, the replay makes what it can: docs/durability.md. With notreelog,
        // each sync is a commit.
        //
        // Tails: truncate(2) to less leaves what is behind the new end on the disk.
        // When the file gets longer, btrfs_cont_expand() makes it zeroes in the page cache
        // (btrfs_truncate_block()), and btrfs_setsize() puts the new size into the
        // transaction. A commit before the page is written has the size without the zeroes.
        {.type = "btrfs",
         .size = 128 * mib,
         .make = "mkfs.btrfs -q",
         .check = "btrfs check --readonly",
         .complaint = "",
         .mounts = {{"", Rule::committed, false},
                    {"notreelog"},
                    {"discard=sync", Rule::committed, false},
                    {"compress-force=zstd,notreelog"}},
         .tails = 4096,
         .atomic = 4096},

        // Blocks of nodes have no checksum, their footer is at their end, and roll-forward
        // takes what has one for written (is_recoverable_dnode()).
        //
        // Late: f2fs_wait_on_node_pages_writeback() waits "while (seq_id && ...)", and the
        // first node that is written after a checkpoint has the number 0
        // (f2fs_add_fsync_node_entry(), f2fs_reset_fsync_node_info()). So the flush of that
        // fsync(2) is sent while the node is on its way, and does not cover it. With
        // fsync_mode=strict, f2fs_do_sync_file() does not wait at all ("if (!atomic)").
        // Linux 6.12.
        //
        // Rewrites: fsync(2) writes blocks of data, then the node that has their addresses, and
        // no flush between them (f2fs_fsync_node_pages() has REQ_PREFLUSH if "atomic" alone).
        // Where the node comes to the disk before power is lost and a block does not, the
        // roll-forward takes the node, and what the block had at its old address, or in the
        // inode itself (f2fs_convert_inline_page()), is lost.
        //
        // Renamed: Documentation/filesystems/f2fs.rst says that only with
        // fsync_mode=strict "fsync will be heavy and behaves in line with xfs, ext4 and
        // btrfs, where xfstest generic/342 will pass", which is this case.
        {.type = "f2fs",
         .size = 64 * mib,
         .make = "mkfs.f2fs -q",
         .check = "fsck.f2fs --dry-run",
         .complaint = "\\[FAIL\\]",
         .mounts = {{"", Rule::each, false},
                    {"nodiscard", Rule::each, false},
                    {"fsync_mode=strict", Rule::each}},
         .late = true,
         .rewrites = 4096,
         .atomic = 4096},
    };
    return list;
}

int run_command(const std::string& command, std::string& output)
{
    const std::string line = "PATH=$PATH:/usr/sbin:/sbin; " + command + " 2>&1 </dev/null";
    FILE* const pipe = ::popen(line.c_str(), "re");
    if (!pipe)
        return -1;
    std::array<char, 4096> buffer;
    output.clear();
    while (const size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe))
        output.append(buffer.data(), count);
    const int status = ::pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace lkl::test
