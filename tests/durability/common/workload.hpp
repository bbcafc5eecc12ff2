// SPDX-License-Identifier: GPL-2.0-only
// Processes that change files and have some of it synced, and remember all of it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include <lkl/file.hpp>
#include <lkl/record.hpp>

#include "durability/common/history.hpp"

namespace lkl::test {

// One of them; a thread of its own. What it does follows from its seed alone.
class Worker {
public:
    static constexpr std::array<const char*, 2> directories{"a", "b"};

    // `top` has the directories already, and they are durable. An operation that fails
    // fails the test.
    Worker(File top, const BlockLog& log, uint64_t seed)
        : top_(std::move(top)), log_(log), random_(seed)
    {
    }

    void run(unsigned operations);

    // Closes all files, so that the file system can be unmounted.
    void close();

    const History& history() const { return history_; }

private:
    uint64_t now() const { return log_.position(); }
    uint64_t below(uint64_t limit) { return random_() % limit; }
    std::string free_name();
    std::string used_name();
    History::FileId file(const std::string& name) const { return history_.names().at(name); }
    File open(const std::string& name, int flags, unsigned mode = 0) const;
    std::string pattern(size_t size);

    void operate();
    void create();
    void write(bool durable);
    void write_at(const std::string& name, uint64_t offset, size_t size, bool durable);
    void truncate();
    void rename();
    void link();
    void unlink();
    void replace();
    void sync(bool data_only);
    void sync(const std::string& name, bool data_only);
    void sync_directory();
    void sync_directory(const std::string& directory);
    void sync_all();

    File top_;
    const BlockLog& log_;
    std::mt19937_64 random_;
    History history_;
    std::deque<File> held_;  // open, and without a name maybe
};

// What is in such a directory now. Throws std::runtime_error with the text of an error.
FoundTree read_tree(const File& top);

}  // namespace lkl::test
