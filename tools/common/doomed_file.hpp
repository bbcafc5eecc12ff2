// SPDX-License-Identifier: GPL-2.0-only
// Files that are not complete, and go when the process is ended before they are.
#pragma once

#include <cstddef>
#include <string>

namespace tools {

// A place for one such file. While any exists, SIGINT, SIGTERM and SIGHUP remove the files
// before they end the process; where they are ignored, they stay so. More than `most` at
// a time do no harm: the others' files stay. Each belongs to one thread.
class DoomedFile {
public:
    static constexpr size_t most = 4;

    DoomedFile();
    DoomedFile(const DoomedFile&) = delete;
    DoomedFile& operator=(const DoomedFile&) = delete;
    ~DoomedFile();

    // This name, in a directory that stays open (AT_FDCWD: a path), is to go. Costs no
    // system call. A name that is too long is left out.
    void set(int directory, const std::string& name);
    // It is complete, or gone.
    void clear();

private:
    size_t slot_ = most;
};

// Around the creation of such a file and DoomedFile::set(): while one exists, such a signal
// waits, since it could not remove what is not known yet. The destructor ends the process then.
// Any thread; costs no system call.
class CreationOfDoomedFile {
public:
    CreationOfDoomedFile() noexcept;
    CreationOfDoomedFile(const CreationOfDoomedFile&) = delete;
    CreationOfDoomedFile& operator=(const CreationOfDoomedFile&) = delete;
    ~CreationOfDoomedFile();
};

// For ends of the process that run no destructors. Async-signal-safe.
void remove_doomed_files() noexcept;

}  // namespace tools
