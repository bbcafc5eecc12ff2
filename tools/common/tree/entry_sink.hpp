// SPDX-License-Identifier: GPL-2.0-only
// Where the files of a tree go, one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <lkl/file.hpp>

#include "common/tree/entry.hpp"

namespace tools {

// Takes files. Data are put in place, so that a read of a file is all that moves
// them. One thread; throws ToolError when it cannot go on.
class EntrySink {
public:
    virtual ~EntrySink() = default;

    // The file's data follow, if it is a regular one, in rising order; then end().
    virtual void begin(const Entry& entry) = 0;
    // The file's data cannot be had, or not all: takes the place of end().
    virtual void abandon() = 0;
    virtual void end() = 0;

    // Files may be made after end(), by another thread.
    virtual bool is_behind() const { return false; }
    // How many files have begun, where that is so.
    virtual uint64_t begun() const { return 0; }
    // Whether the file `path` is there to be linked to, which was begun when begun() had become
    // `number`; waits until that is known.
    virtual bool made(const std::string& path, uint64_t number)
    {
        (void)path;
        (void)number;
        return true;
    }

    // False: there is no place for sockets in it, and none may be given.
    virtual bool holds_sockets() const { return true; }

    // Room for the data that come next; at least one byte.
    virtual std::span<std::byte> space() = 0;
    // The first `count` bytes of space() are those of the file at `offset`.
    virtual void data(uint64_t offset, size_t count) = 0;
    // Lets space() begin with a whole page, and be large.
    virtual void align() = 0;
    // Takes data of the file from another file of its own file system, which lets both
    // have the same blocks where it can. Returns how many bytes of the extent, from its
    // start, need not be given any more.
    virtual uint64_t share(const lkl::File& source, const Extent& extent)
    {
        (void)source;
        (void)extent;
        return 0;
    }
};

// The same for data that are somewhere already.
class EntryConsumer {
public:
    virtual ~EntryConsumer() = default;
    virtual void begin(const Entry& entry) = 0;
    // The same for a regular file all of whose data are in memory, so that the rest of the
    // calls, up to end(), follow at once.
    virtual void begin_whole(const Entry& entry) { begin(entry); }
    virtual void data(uint64_t offset, std::span<const std::byte> bytes) = 0;
    virtual void abandon() = 0;
    virtual void end() = 0;
    virtual uint64_t share(const lkl::File& source, const Extent& extent)
    {
        (void)source;
        (void)extent;
        return 0;
    }
    // Whether the file of this path, which has come to its end, is there. Any thread.
    virtual bool made(const std::string& path) const
    {
        (void)path;
        return true;
    }
    // No more files come.
    virtual void finish() = 0;
};

}  // namespace tools
