// SPDX-License-Identifier: GPL-2.0-only
// The mounted file system of the image as the operations see it: from the numbers of
// the host's kernel to files of the kernel inside, and back.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <fuse_lowlevel.h>
#include <sys/stat.h>

#include <lkl/linux/stat.h>
#include <lkl/mount.hpp>

#include "common/mounted_image.hpp"
#include "lklfuse/evictor.hpp"
#include "lklfuse/inner.hpp"
#include "lklfuse/memory_guard.hpp"
#include "lklfuse/nodes.hpp"
#include "lklfuse/prefetch.hpp"
#include "lklfuse/write_back.hpp"

namespace tools::lklfuse {

// Nobody else changes the image: what the host's kernel has in its caches stays true.
// In seconds.
constexpr double forever = 86400.0 * 365;

// Any thread.
class FileSystem {
public:
    // Throws ToolError. crashed: as for Inner.
    FileSystem(MountedImage& image, const ImageRequest& request,
               std::function<void(const std::string& log)> crashed);
    FileSystem(const FileSystem&) = delete;
    FileSystem& operator=(const FileSystem&) = delete;
    // No request is at work any more.
    ~FileSystem();

    Inner& inner() { return inner_; }
    bool read_only() const { return read_only_; }
    // The file system stores POSIX ACLs.
    bool has_acls() const { return has_acls_; }
    // Files have handles, so that to know one costs nothing in the kernel inside.
    bool has_handles() const { return has_handles_; }
    // Files that are open for reading alone can be opened with O_DIRECT.
    bool reads_directly() const { return reads_directly_; }

    // Of any file but the root, for which the host's kernel has 1.
    // NOLINTNEXTLINE(performance-no-int-to-ptr): libfuse keeps it as a number
    Node& node(fuse_ino_t ino) { return *reinterpret_cast<Node*>(ino); }
    Prefetch& prefetch() { return prefetch_; }
    // To be told of each inode that is changed.
    MemoryGuard& guard() { return guard_; }
    fuse_session* session() { return session_; }
    // From start() to stop(), of a file system that is not read-only.
    WriteBack& write_back() { return *write_back_; }

    // A descriptor (O_PATH) of the node.
    InnerFile reach(fuse_ino_t ino);
    // The same, opened with LKL_O_* flags.
    InnerFile open(fuse_ino_t ino, int flags);

    // What a name in a directory means, which the host's kernel holds the lock of: it
    // names the same file until the request is answered.
    struct Found {
        FileHandle handle;
        struct lkl_statx stat;
        int pin = -1;  // of a file system without handles
    };
    long find(long directory, const char* name, Found& found);
    // The same for an open file.
    long find_open(long file, Found& found);

    // Fills in the answer to a request that names a file, which gets one more lookup.
    // parent and name: where it was found.
    void enter(const Found& found, fuse_ino_t parent, const char* name, fuse_entry_param& entry);
    void forget(fuse_ino_t ino, uint64_t lookups);

    // Before a name goes: a directory without any stays what it was for those who are
    // in it.
    void keep_directory(long parent, const char* name);
    // A file has this new name in a directory, which has the descriptor and the number.
    void renamed(long directory, fuse_ino_t parent, const char* name);

    // Whether names in this directory can be changed, and mean the same in upper and
    // lower case. The host's kernel must not keep such names: another spelling may be
    // made or removed.
    bool folds_case(fuse_ino_t directory);
    // Its flags have changed.
    void forget_case(fuse_ino_t directory);

    void convert(const struct lkl_statx& from, struct stat& to) const;
    // The number that stat(2) shows.
    uint64_t shown_inode(const struct lkl_statx& stat) const;

    // Starts what needs the session. Ends at the end of the session.
    void start(fuse_session* session);
    void stop();

private:
    long handle_of(long directory, const char* name, int flags, FileHandle& handle);
    void set_descriptors_apart();
    bool probe_handles();
    bool probe_acls();

    Inner inner_;
    const bool read_only_;
    lkl::Mount proc_;
    InnerFile root_;
    MemoryGuard guard_;
    long first_file_ = -1;  // descriptors of requests are this and above, and root_
    struct lkl_statx root_stat_ {};
    const bool all_names_fold_;
    const bool reads_directly_;
    bool has_handles_ = false;
    bool has_acls_ = false;
    NodeTable nodes_;
    std::atomic<Node::Folding> root_folding_{Node::Folding::unknown};
    Prefetch prefetch_;
    fuse_session* session_ = nullptr;
    std::optional<Evictor> evictor_;
    std::optional<WriteBack> write_back_;
};

// "/proc/self/fd/N": for the calls of the kernel inside that take paths alone.
class DescriptorPath {
public:
    explicit DescriptorPath(long descriptor);
    const char* get() const { return text_.data(); }

private:
    std::array<char, 32> text_;
};

}  // namespace tools::lklfuse
