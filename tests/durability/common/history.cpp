// SPDX-License-Identifier: GPL-2.0-only
// Keeping the history. judge.cpp is what it is kept for.
#include "durability/common/history.hpp"

#include <limits>
#include <utility>

namespace lkl::test {

History::History() : states_{{0, {}}} {}

void History::note(uint64_t now, std::string text)
{
    notes_.push_back({now, std::move(text)});
}

std::string History::tell(uint64_t moment) const
{
    constexpr size_t most = 60;
    size_t end = notes_.size();
    while (end > 0 && notes_[end - 1].moment > moment)
        --end;
    std::string text;
    for (size_t i = end > most ? end - most : 0; i < end; ++i)
        text += "\n  " + std::to_string(notes_[i].moment) + ": " + notes_[i].text;
    return text;
}

void History::new_state(uint64_t now, Names names)
{
    states_.push_back({now, std::move(names)});
}

History::FileId History::create(uint64_t now, const std::string& name)
{
    note(now, "create " + name + ": file " + std::to_string(files_.size()));
    const FileId file = files_.size();
    files_.push_back({{{now, {}}}, {}});
    Names names = this->names();
    names[name] = file;
    new_state(now, std::move(names));
    return file;
}

void History::change(uint64_t now, FileId file, std::string content)
{
    note(now, "file " + std::to_string(file) + " gets version " +
                  std::to_string(files_[file].versions.size()) + " of " +
                  std::to_string(content.size()) + " bytes");
    files_[file].versions.push_back({now, std::move(content)});
}

void History::rename(uint64_t now, const std::string& from, const std::string& to)
{
    note(now, "rename " + from + " to " + to);
    Names names = this->names();
    names[to] = names.at(from);
    names.erase(from);
    new_state(now, std::move(names));
}

void History::link(uint64_t now, const std::string& name, const std::string& other)
{
    note(now, "link " + name + " as " + other);
    Names names = this->names();
    names[other] = names.at(name);
    new_state(now, std::move(names));
}

void History::unlink(uint64_t now, const std::string& name)
{
    note(now, "unlink " + name);
    Names names = this->names();
    names.erase(name);
    new_state(now, std::move(names));
}

void History::promise_content(uint64_t now, FileId file, uint64_t begin, uint64_t end)
{
    File& of = files_[file];
    of.promises.push_back({now, of.versions.size() - 1, begin, end});
}

void History::promise_names(uint64_t now, Scope scope, FileId file, std::string directory)
{
    name_promises_.push_back({now, states_.size() - 1, scope, file, std::move(directory)});
}

void History::data_synced(uint64_t now, FileId file)
{
    note(now, "file " + std::to_string(file) + " is on disk");
    promise_content(now, file, 0, std::numeric_limits<uint64_t>::max());
}

void History::file_synced(uint64_t now, FileId file)
{
    note(now, "file " + std::to_string(file) + " was synced");
    data_synced(now, file);
    promise_names(now, Scope::file, file, {});
}

void History::range_synced(uint64_t now, FileId file, uint64_t begin, uint64_t end)
{
    note(now, "bytes " + std::to_string(begin) + " to " + std::to_string(end) + " of file " +
                  std::to_string(file) + " are on disk");
    promise_content(now, file, begin, end);
}

void History::directory_synced(uint64_t now, const std::string& directory)
{
    note(now, "directory " + directory + " was synced");
    promise_names(now, Scope::directory, 0, directory);
}

void History::all_synced(uint64_t now)
{
    note(now, "all was synced");
    for (FileId file = 0; file < files_.size(); ++file)
        promise_content(now, file, 0, std::numeric_limits<uint64_t>::max());
    promise_names(now, Scope::all, 0, {});
}

}  // namespace lkl::test
