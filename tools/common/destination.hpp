// SPDX-License-Identifier: GPL-2.0-only
// Where what a tool makes goes: a file that gets its name only when it is complete, or,
// if that will do, standard output, another open descriptor (/dev/fd/N) or a device.
#pragma once

#include <optional>
#include <string>

#include "common/descriptor.hpp"
#include "common/doomed_file.hpp"

namespace tools {

// Throws ToolError, ExitCode::usage, where standard output goes into the image.
void refuse_standard_output(const std::string& image);

// Made and destroyed by one thread. The temporary file is a DoomedFile.
class Destination {
public:
    struct Kind {
        const char* what;    // for messages: "archive"
        const char* prefix;  // of the temporary file's name
        bool stream;         // "-", standard output, descriptors and devices are written in place
        const std::string& image;  // which is refused; empty: none
    };
    // Throws ToolError, ExitCode::output or ExitCode::usage.
    Destination(const std::string& path, const Kind& kind);
    Destination(const Destination&) = delete;
    Destination& operator=(const Destination&) = delete;
    // Removes the temporary file unless commit() was called.
    ~Destination();

    // Open for writing, a file for reading, too.
    int descriptor() const { return standard_output_ ? 1 : file_.get(); }
    // For messages.
    const std::string& name() const { return name_; }

    // Where names change in commit() or the destructor; empty: nowhere.
    const std::string& directory() const { return directory_; }

    // The file until then; empty: none.
    const std::string& temporary() const { return temporary_; }

    // Both would replace the same file.
    bool same_file(const Destination& other) const;

    // All is written: it is on stable storage when this returns, and not yet under its name.
    void complete();

    // complete(), and its name.
    void commit();

private:
    void use_open(int descriptor, const Kind& kind);
    void create_temporary(const std::string& path, const char* prefix);
    [[noreturn]] void fail(const std::string& what) const;

    std::string what_;
    std::string name_;
    std::string target_;     // what a symbolic link at path points to, else path
    std::string temporary_;  // empty: written in place
    std::string directory_;  // of the last two
    bool standard_output_ = false;
    Descriptor file_;
    Descriptor open_directory_;
    std::optional<DoomedFile> doomed_;  // the temporary file
};

}  // namespace tools
