// SPDX-License-Identifier: GPL-2.0-only
// What came of a copy: the answer of --json, in the same form from all tools that copy.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "common/descriptor.hpp"
#include "common/json_object.hpp"
#include "common/report.hpp"
#include "common/tree/entry.hpp"

namespace tools {

// Any thread.
class CopyResult {
public:
    // A file is in its place, or a further name of one.
    void add_file(EntryType type);
    // Data of files, without holes.
    void add_bytes(uint64_t count);
    void add_failure(const ToolError& error);
    void add_warning(const std::string& text);

    // Failures and warnings of processes that are made from now on, by fork(2), are listed in
    // this one as well. Throws ToolError.
    void share();

    // Sets "failures", "warnings" and "exit_code", which is that of the tool.
    void set_messages(JsonObject& object, ExitCode code) const;
    // One object: what was copied, and these.
    JsonObject json(ExitCode code) const;

private:
    struct Message {
        bool failure = false;
        std::string path;
        std::string text;
        bool operator<(const Message& other) const
        {
            return std::tie(failure, path, text) < std::tie(other.failure, other.path, other.text);
        }
    };

    void add(Message message);
    std::vector<Message> messages() const;

    mutable std::mutex lock_;
    uint64_t files_ = 0;
    uint64_t directories_ = 0;
    uint64_t symlinks_ = 0;
    uint64_t hard_links_ = 0;
    uint64_t other_ = 0;
    uint64_t bytes_ = 0;
    std::vector<Message> messages_;
    Descriptor shared_;  // the file where messages are instead, if they are shared
};

// Calls work(result) and, if `wanted`, prints on standard output what came of it, when all
// is done or has failed. Throws what the work throws, and ToolError, ExitCode::output, when
// it cannot be printed.
void with_json(bool wanted, const std::function<void(CopyResult&)>& work);

}  // namespace tools
