// SPDX-License-Identifier: GPL-2.0-only
// What is found after a cut, held against a history.
#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>

#include "durability/common/history.hpp"

namespace lkl::test {

namespace {

bool in_directory(const std::string& name, const std::string& directory)
{
    return name.size() > directory.size() && name.compare(0, directory.size(), directory) == 0 &&
           name[directory.size()] == '/';
}

std::string list(const std::set<std::string>& names)
{
    std::string text;
    for (const std::string& name : names)
        text += ' ' + name;
    return text;
}

}  // namespace

class History::Judge {
public:
    Judge(const History& history, const Cut& cut, const FoundTree& found)
        : history_(history), cut_(cut), found_(found)
    {
        last_state_ = last_before(history.states_);
        for (const auto& [name, file] : found)
            groups_[file.inode].insert(name);
    }

    // Each name, each file by itself.
    std::string check_names() const
    {
        for (const auto& [inode, names] : groups_) {
            const FoundFile& file = found_.at(*names.begin());
            if (file.links != names.size())
                return "the file of" + list(names) + " has " + std::to_string(file.links) +
                       " links";
        }
        std::set<std::string> known;
        for (size_t state = 0; state <= last_state_; ++state) {
            for (const auto& [name, file] : history_.states_[state].names)
                known.insert(name);
        }
        for (const auto& [name, file] : found_) {
            if (known.count(name) == 0)
                return name + " never was";
        }
        for (const std::string& name : known) {
            if (std::string wrong = check_name(name); !wrong.empty())
                return wrong;
        }
        for (FileId file = 0; file < history_.files_.size(); ++file) {
            if (std::string wrong = check_file(file); !wrong.empty())
                return wrong;
        }
        return {};
    }

    // All names together, as they were at one moment.
    std::string check_state() const
    {
        size_t first = 0;
        for (const NamePromise& promise : history_.name_promises_) {
            if (promise.given <= cut_.kept)
                first = std::max(first, last_change(promise));
        }
        first = std::min(first, last_state_);
        std::string wrong;
        for (size_t state = last_state_ + 1; state-- > first;) {
            const std::string why = differs(history_.states_[state].names);
            if (why.empty())
                return {};
            wrong += "\n  not state " + std::to_string(state) + ": " + why;
        }
        return "the names are those of no moment since they were synced:" + wrong;
    }

private:
    // The last of a list that began before the cut; the first one always did. What began
    // at the very moment has left no trace, and yet may be promised: where something else
    // was synced without a word to the disk. So a promise may be behind the last.
    template <typename Item>
    size_t last_before(const std::vector<Item>& items) const
    {
        size_t last = 0;
        while (last + 1 < items.size() && items[last + 1].began < cut_.moment)
            ++last;
        return last;
    }

    std::set<std::string> names_of(FileId file, size_t state) const
    {
        std::set<std::string> names;
        for (const auto& [name, owner] : history_.states_[state].names) {
            if (owner == file)
                names.insert(name);
        }
        return names;
    }

    // The state that a promise has made durable where changes keep their order: that of
    // the last change of what was synced.
    size_t last_change(const NamePromise& promise) const
    {
        if (promise.scope == Scope::all)
            return promise.state;
        const auto part = [&](size_t state) {
            Names names;
            for (const auto& [name, file] : history_.states_[state].names) {
                if (promise.scope == Scope::file ? file == promise.file
                                                 : in_directory(name, promise.directory))
                    names[name] = file;
            }
            return names;
        };
        size_t state = promise.state;
        const Names names = part(state);
        while (state > 0 && part(state - 1) == names)
            --state;
        return state;
    }

    // The first state that this name may be in. What the sync of a file says of its names
    // holds as long as nobody changes them.
    size_t first_state(const std::string& name) const
    {
        size_t first = 0;
        for (const NamePromise& promise : history_.name_promises_) {
            if (promise.given > cut_.kept ||
                (cut_.names == NameRule::committed && promise.scope != Scope::all))
                continue;
            bool holds = promise.scope == Scope::all;
            if (promise.scope == Scope::directory)
                holds = in_directory(name, promise.directory);
            if (promise.scope == Scope::file)
                holds = always(promise.file, name, promise.state);
            if (holds)
                first = std::max(first, promise.state);
        }
        return std::min(first, last_state_);
    }

    // The name is this file's from that state on.
    bool always(FileId file, const std::string& name, size_t state) const
    {
        for (; state <= last_state_; ++state) {
            const Names& names = history_.states_[state].names;
            const auto owner = names.find(name);
            if (owner == names.end() || owner->second != file)
                return false;
        }
        return true;
    }

    // The name is not the same file's from that state on.
    bool changes(const std::string& name, size_t state) const
    {
        const Names& names = history_.states_[state].names;
        const auto owner = names.find(name);
        return owner == names.end() || !always(owner->second, name, state);
    }

    std::string check_name(const std::string& name) const
    {
        const auto found = found_.find(name);
        std::string why;
        const size_t first = first_state(name);
        if (found == found_.end() && cut_.names == NameRule::committed && changes(name, first))
            return {};
        for (size_t state = first; state <= last_state_; ++state) {
            const Names& names = history_.states_[state].names;
            const auto owner = names.find(name);
            if (owner == names.end()) {
                if (found == found_.end())
                    return {};
                continue;
            }
            if (found == found_.end())
                continue;
            why = wrong_content(owner->second, found->second.content);
            if (why.empty())
                return {};
        }
        if (found == found_.end())
            return name + " is not there";
        return name + (why.empty() ? " is there" : ": " + why);
    }

    // A file that never was without a name since it was synced has one that it had: since
    // then, or since the last syncfs(2) where that alone counts for names.
    std::string check_file(FileId file) const
    {
        std::optional<size_t> first;
        size_t committed = 0;
        for (const NamePromise& promise : history_.name_promises_) {
            if (promise.given > cut_.kept)
                continue;
            if (promise.scope == Scope::all)
                committed = std::max(committed, promise.state);
            if (promise.scope == Scope::all ||
                (promise.scope == Scope::file && promise.file == file))
                first = std::max(first.value_or(0), promise.state);
        }
        if (!first)
            return {};
        const size_t synced = std::min(*first, last_state_);
        size_t state = cut_.names == NameRule::committed ? std::min(committed, synced) : synced;
        std::set<std::string> had;
        for (; state <= last_state_; ++state) {
            const std::set<std::string> names = names_of(file, state);
            if (state >= synced &&
                (names.empty() || (!cut_.keeps_renamed && names != names_of(file, last_state_))))
                return {};
            had.insert(names.begin(), names.end());
        }
        for (const auto& [inode, names] : groups_) {
            if (std::includes(had.begin(), had.end(), names.begin(), names.end()) &&
                wrong_content(file, found_.at(*names.begin()).content).empty())
                return {};
        }
        std::string text = "file " + std::to_string(file) +
                           " has none of the names it had:" + list(had) + "; there are";
        for (const auto& [inode, names] : groups_)
            text += " {" + list(names) + " }";
        return text;
    }

    std::string differs(const Names& names) const
    {
        for (const auto& [name, file] : names) {
            const auto found = found_.find(name);
            if (found == found_.end())
                return name + " is not there";
            if (std::string why = wrong_content(file, found->second.content); !why.empty())
                return name + ": " + why;
            const auto& group = groups_.at(found->second.inode);
            for (const auto& [other, owner] : names) {
                if ((owner == file) != (group.count(other) != 0))
                    return name + " and " + other + " are not the files they were";
            }
        }
        for (const auto& [name, file] : found_) {
            if (names.count(name) == 0)
                return name + " is there";
        }
        return {};
    }

    // A file reads as zeroes behind its end.
    static char byte_of(const Version& version, uint64_t at)
    {
        return at < version.content.size() ? version.content[at] : '\0';
    }

    // The byte was cut off with an end in the same block, and has come back.
    bool is_old_tail(const File& file, size_t last, uint64_t at, char byte) const
    {
        if (cut_.tails == 0)
            return false;
        for (size_t shorter = 1; shorter <= last; ++shorter) {
            const uint64_t end = file.versions[shorter].content.size();
            if (end > at || end / cut_.tails != at / cut_.tails)
                continue;
            for (size_t before = 0; before < shorter; ++before) {
                if (byte == byte_of(file.versions[before], at))
                    return true;
            }
        }
        return false;
    }

    // The byte's block was written again after that version.
    bool is_rewritten(const File& file, size_t from, size_t last, uint64_t at) const
    {
        if (cut_.rewrites == 0)
            return false;
        const auto block_of = [&](size_t version) {
            const std::string_view content = file.versions[version].content;
            const uint64_t begin = at / cut_.rewrites * cut_.rewrites;
            return content.substr(std::min<uint64_t>(begin, content.size()), cut_.rewrites);
        };
        for (size_t version = from + 1; version <= last; ++version) {
            if (block_of(version) != block_of(version - 1))
                return true;
        }
        return false;
    }

    // Why that cannot be what is in the file.
    std::string wrong_content(FileId id, const std::string& content) const
    {
        const File& file = history_.files_[id];
        const size_t last = last_before(file.versions);
        std::vector<ContentPromise> promises;
        size_t first = 0;
        for (const ContentPromise& promise : file.promises) {
            if (promise.given > cut_.kept)
                continue;
            if (promise.end == std::numeric_limits<uint64_t>::max())
                first = std::max(first, promise.version);
            else
                promises.push_back(promise);
        }
        first = std::min(first, last);
        for (size_t version = last + 1; version-- > first;) {
            if (file.versions[version].content == content && promises.empty())
                return {};
        }
        const auto size_of = [&](size_t version) { return file.versions[version].content.size(); };
        const auto extreme = [&](size_t from, uint64_t most) {
            uint64_t least = most;
            for (size_t version = from; version <= last; ++version)
                least = std::min<uint64_t>(least, size_of(version));
            return least;
        };
        uint64_t least = extreme(first, std::numeric_limits<uint64_t>::max());
        for (const ContentPromise& promise : promises)
            least = std::max(least, extreme(promise.version, promise.end));
        uint64_t most = 0;
        for (size_t version = first; version <= last; ++version)
            most = std::max<uint64_t>(most, size_of(version));
        std::ostringstream why;
        why << "file " << id << " of versions " << first << " to " << last;
        if (content.size() < least || content.size() > most) {
            why << " has " << content.size() << " bytes instead of " << least << " to " << most;
            return why.str();
        }
        for (uint64_t at = 0; at < content.size(); ++at) {
            size_t from = first;
            for (const ContentPromise& promise : promises) {
                if (at >= promise.begin && at < promise.end)
                    from = std::max(from, promise.version);
            }
            bool good = false;
            bool may_be_zero = false;
            for (size_t version = from; version <= last && !good; ++version) {
                const char was = byte_of(file.versions[version], at);
                good = content[at] == was;
                may_be_zero = may_be_zero || was == 0;
            }
            if (!good && !(may_be_zero && is_old_tail(file, last, at, content[at])) &&
                !is_rewritten(file, from, last, at)) {
                why << ": byte " << at << " of " << content.size() << " is "
                    << static_cast<unsigned>(static_cast<unsigned char>(content[at]));
                if (at < size_of(last))
                    why << ", and was last "
                        << static_cast<unsigned>(
                               static_cast<unsigned char>(file.versions[last].content[at]));
                for (size_t version = 0; version < file.versions.size(); ++version) {
                    if (at < size_of(version) && content[at] == file.versions[version].content[at])
                        why << ", as in version " << version;
                }
                return why.str();
            }
        }
        return {};
    }

    const History& history_;
    const Cut cut_;
    const FoundTree& found_;
    size_t last_state_ = 0;
    std::map<uint64_t, std::set<std::string>> groups_;  // names of an inode
};

std::string History::check(const Cut& cut, const FoundTree& found) const
{
    const Judge judge(*this, cut, found);
    std::string wrong = judge.check_names();
    if (wrong.empty() && cut.names == NameRule::ordered)
        wrong = judge.check_state();
    return wrong;
}

}  // namespace lkl::test
