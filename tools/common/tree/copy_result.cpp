// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/copy_result.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <set>
#include <string_view>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

namespace tools {

namespace {

void print(const JsonObject& object)
{
    const std::string text = object.text() + '\n';
    std::string_view rest = text;
    while (!rest.empty()) {
        const ssize_t count = write(STDOUT_FILENO, rest.data(), rest.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            throw ToolError(ExitCode::output,
                            std::string("standard output: cannot write: ") + std::strerror(errno));
        rest.remove_prefix(static_cast<size_t>(count));
    }
}

// The work failed with an error of its own, and nothing hides that.
void print_failed(const CopyResult& result, ExitCode code)
{
    try {
        print(result.json(code));
    } catch (const ToolError& error) {
        report(error.what());
    }
}

}  // namespace

void CopyResult::add_file(EntryType type)
{
    const std::lock_guard guard(lock_);
    switch (type) {
    case EntryType::regular:
        files_++;
        break;
    case EntryType::directory:
        directories_++;
        break;
    case EntryType::symbolic_link:
        symlinks_++;
        break;
    case EntryType::hard_link:
        hard_links_++;
        break;
    default:
        other_++;
        break;
    }
}

void CopyResult::add_bytes(uint64_t count)
{
    const std::lock_guard guard(lock_);
    bytes_ += count;
}

void CopyResult::share()
{
    shared_ = Descriptor(memfd_create("messages", MFD_CLOEXEC));
    if (!shared_)
        throw ToolError(ExitCode::internal, std::string("memfd_create: ") + std::strerror(errno));
}

void CopyResult::add_failure(const ToolError& error)
{
    // Without a text it is the last word on those that were told.
    if (*error.what() != '\0')
        add({true, error.path(), error.what()});
}

void CopyResult::add_warning(const std::string& text)
{
    add({false, {}, text});
}

// In the file, a message is three texts, each with a zero byte at its end, which neither
// paths nor messages contain.
void CopyResult::add(Message message)
{
    const std::lock_guard guard(lock_);
    if (!shared_) {
        messages_.push_back(std::move(message));
        return;
    }
    std::string bytes;
    for (const std::string& text :
         {std::string(message.failure ? "f" : "w"), message.path, message.text}) {
        bytes += text;
        bytes += '\0';
    }
    // Nothing is left to be told when that fails.
    (void)!write(shared_.get(), bytes.data(), bytes.size());
}

auto CopyResult::messages() const -> std::vector<Message>
{
    if (!shared_)
        return messages_;
    std::string bytes;
    std::array<char, 65536> buffer;
    for (;;) {
        const ssize_t count =
            pread(shared_.get(), buffer.data(), buffer.size(), static_cast<off_t>(bytes.size()));
        if (count <= 0)
            break;
        bytes.append(buffer.data(), static_cast<size_t>(count));
    }
    std::vector<Message> result;
    std::set<Message> seen;
    std::string_view rest = bytes;
    const auto take = [&rest] {
        const std::string text(rest.substr(0, rest.find('\0')));
        rest.remove_prefix(std::min(text.size() + 1, rest.size()));
        return text;
    };
    while (!rest.empty()) {
        const bool failure = take() == "f";
        std::string path = take();
        Message message{failure, std::move(path), take()};
        // A source that is read twice says all twice.
        if (seen.insert(message).second)
            result.push_back(std::move(message));
    }
    return result;
}

void CopyResult::set_messages(JsonObject& object, ExitCode code) const
{
    const std::lock_guard guard(lock_);
    std::vector<JsonObject> failures;
    std::vector<std::string> warnings;
    for (const Message& message : messages()) {
        if (!message.failure) {
            warnings.push_back(message.text);
            continue;
        }
        JsonObject& failure = failures.emplace_back();
        if (message.path.empty())
            failure.set_null("path");
        else
            failure.set("path", message.path);
        failure.set("error", message.text);
    }
    object.set("failures", failures);
    object.set("warnings", warnings);
    object.set("exit_code", static_cast<unsigned>(code));
}

JsonObject CopyResult::json(ExitCode code) const
{
    JsonObject object;
    {
        const std::lock_guard guard(lock_);
        object.set("files", files_);
        object.set("directories", directories_);
        object.set("symlinks", symlinks_);
        object.set("hard_links", hard_links_);
        object.set("other", other_);
        object.set("bytes", bytes_);
    }
    set_messages(object, code);
    return object;
}

void with_json(bool wanted, const std::function<void(CopyResult&)>& work)
{
    CopyResult result;
    try {
        work(result);
    } catch (const ToolError& error) {
        // The last word on failures that are listed is none of them.
        if (error.code() != ExitCode::incomplete)
            result.add_failure(error);
        if (wanted)
            print_failed(result, error.code());
        throw;
    } catch (const std::exception& error) {
        result.add_failure({ExitCode::internal, error.what()});
        if (wanted)
            print_failed(result, ExitCode::internal);
        throw;
    }
    if (wanted)
        print(result.json(ExitCode::ok));
}

}  // namespace tools
