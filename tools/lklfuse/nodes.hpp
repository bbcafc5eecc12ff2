// SPDX-License-Identifier: GPL-2.0-only
// The files that the host's kernel knows, by the numbers that it was given for them.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace tools::lklfuse {

// What tells a file from all others: struct file_handle of the kernel inside, as
// name_to_handle_at(2) gives it. Where the file system has none, the device and the
// inode number, with the type below.
struct FileHandle {
    static constexpr uint32_t room = 24;
    static constexpr int32_t inode_number = -1;

    uint32_t size = room;  // of data, in bytes
    int32_t type = 0;
    std::array<uint8_t, room> data{};

    static FileHandle of_inode(uint64_t device, uint64_t inode);

    friend bool operator==(const FileHandle&, const FileHandle&) = default;
};

// A file that the host's kernel knows. A file system with handles needs no more than
// this for a file that is not in use, so that walks over millions of them stay small;
// where there are none, a descriptor (O_PATH) keeps each file, the "pin".
//
// The host's kernel has counted a reference for every request that names the node, so
// that none is used after forget().
struct Node {
    enum class Folding : uint8_t { unknown, no, yes };

    const FileHandle* handle = nullptr;
    uint64_t lookups = 0;                                 // under the table's lock
    std::atomic<int> pin{-1};                             // descriptor in the kernel inside
    std::atomic<Folding> case_folding{Folding::unknown};  // directory: of the names in it
    bool given = false;                                   // see Prefetch, under its lock
    // Why data that a process had written before could not be; 0, or a negative errno.
    std::atomic<int> lost{0};
    // How often it is open for writing: the host's kernel may have data of it that it has
    // not written yet, which it does at the latest when the last of them is closed.
    std::atomic<uint32_t> writers{0};

    Node() = default;
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
};

// Any thread.
class NodeTable {
public:
    // close_pin: closes the descriptor of a node that goes. gone: told of a node that goes,
    // before another one can have its address; under a lock, so it must not use the table.
    NodeTable(std::function<void(int)> close_pin, std::function<void(const Node&)> gone)
        : close_pin_(std::move(close_pin)), gone_(std::move(gone))
    {
    }
    NodeTable(const NodeTable&) = delete;
    NodeTable& operator=(const NodeTable&) = delete;
    ~NodeTable();

    // The node of this file, with one more lookup. pin: a descriptor for the node, or
    // -1; the table's from then on, and closed if the node has one.
    Node& look_up(const FileHandle& handle, int pin);

    // Whether the file has a node without a pin.
    bool needs_pin(const FileHandle& handle);
    // Gives it one, as look_up() does; closes it if there is no such node any more.
    void pin(const FileHandle& handle, int pin);

    // Takes lookups back; without any left, the node is gone.
    void forget(Node& node, uint64_t lookups);

    // How many there are with a pin.
    size_t pins() const { return pins_.load(std::memory_order_relaxed); }

private:
    struct Hash {
        size_t operator()(const FileHandle& handle) const noexcept;
    };

    // Under the lock; returns what is not needed.
    int give_pin(Node& node, int pin);

    const std::function<void(int)> close_pin_;
    const std::function<void(const Node&)> gone_;
    std::mutex lock_;
    std::unordered_map<FileHandle, Node, Hash> nodes_;
    std::atomic<size_t> pins_{0};
};

}  // namespace tools::lklfuse
