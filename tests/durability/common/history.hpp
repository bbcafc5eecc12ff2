// SPDX-License-Identifier: GPL-2.0-only
// What one process did to its files, and what a loss of power may leave of that.
//
// A history belongs to one thread, and its files to it alone. Moments are positions of
// the disk's log: an operation that began at or behind the cut has left no trace on the
// disk, and a promise that was given at or before the cut holds.
//
// The rules, of fsync(2), fdatasync(2), open(2) (O_DSYNC), syncfs(2) and rename(2):
//   - What a file was when it was synced is there, but for what was done to it since:
//     each byte is that of then or of any later moment, and zero where the file has
//     been shorter in between.
//   - A name is what it was when its directory was synced, or anything that it has been
//     since. A name that was given from one file to another is never nobody's, and a
//     file that never was without a name has one.
//   - The names that a file had when it was itself synced are there as well. fsync(2)
//     does not promise that, Linux's file systems do.
// File systems keep more than that, or less: NameRule.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace lkl::test {

// What was found under a name after the cut.
struct FoundFile {
    std::string content;
    uint64_t inode = 0;
    uint64_t links = 0;
};
using FoundTree = std::map<std::string, FoundFile>;  // by name: "a/f1"

class History {
public:
    using FileId = size_t;
    using Names = std::map<std::string, FileId>;

    History();

    // What is done, told before it is: `now` is the moment.
    FileId create(uint64_t now, const std::string& name);
    void change(uint64_t now, FileId file, std::string content);
    void rename(uint64_t now, const std::string& from, const std::string& to);
    void link(uint64_t now, const std::string& name, const std::string& other);
    void unlink(uint64_t now, const std::string& name);

    // What was promised, told after it was.
    void file_synced(uint64_t now, FileId file);
    void data_synced(uint64_t now, FileId file);
    void range_synced(uint64_t now, FileId file, uint64_t begin, uint64_t end);
    void directory_synced(uint64_t now, const std::string& directory);
    void all_synced(uint64_t now);

    // How it is at present.
    const Names& names() const { return states_.back().names; }
    const std::string& content(FileId file) const { return files_[file].versions.back().content; }

    // What a file system makes of changes of names.
    enum class NameRule : uint8_t {
        ordered,    // they keep their order: the names are those of one moment
        each,       // each name is one that it was, since something has synced it
        committed,  // syncfs(2) alone counts for a name that has changed since: it is what it
                    // was at any moment since then, or gone
    };

    // A cut, and what is known of the file system.
    struct Cut {
        uint64_t moment;
        uint64_t kept;  // promises that were given up to then hold; mostly the same moment
        NameRule names;
        bool keeps_renamed;  // and a file whose name was given to a new one, which is synced
        uint64_t tails;      // bytes of a block, what is cut off in which may come back when the
                             // file gets longer, and be read for zeroes; 0: none does
        uint64_t rewrites;   // bytes of a block, what was synced of which is lost when it is
                             // written again, until that is synced; 0: nothing is
    };

    // What is wrong with what was found after a cut; empty: nothing.
    std::string check(const Cut& cut, const FoundTree& found) const;

    // What was done before that moment, one line each, the last ones of all.
    std::string tell(uint64_t moment) const;

private:
    // What a file was from a moment on.
    struct Version {
        uint64_t began;
        std::string content;
    };
    // A promise for bytes of a file: they are of this version or a later one.
    struct ContentPromise {
        uint64_t given;
        size_t version;
        uint64_t begin, end;  // bytes; of all: 0 and everything
    };
    struct File {
        std::vector<Version> versions;
        std::vector<ContentPromise> promises;
    };
    // All names from a moment on.
    struct State {
        uint64_t began;
        Names names;
    };
    enum class Scope : uint8_t { file, directory, all };
    // A promise for names: they are of this state or a later one.
    struct NamePromise {
        uint64_t given;
        size_t state;
        Scope scope;
        FileId file;
        std::string directory;
    };

    // What happened, for people.
    struct Note {
        uint64_t moment;
        std::string text;
    };

    class Judge;

    void note(uint64_t now, std::string text);
    void new_state(uint64_t now, Names names);
    void promise_content(uint64_t now, FileId file, uint64_t begin, uint64_t end);
    void promise_names(uint64_t now, Scope scope, FileId file, std::string directory);

    std::vector<File> files_;
    std::vector<State> states_;
    std::vector<NamePromise> name_promises_;
    std::vector<Note> notes_;
};

}  // namespace lkl::test
