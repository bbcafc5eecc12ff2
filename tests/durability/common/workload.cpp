// SPDX-License-Identifier: GPL-2.0-only
#include "durability/common/workload.hpp"

#include <algorithm>
#include <span>
#include <stdexcept>
#include <utility>

#include <gtest/gtest.h>

#include <lkl/linux/fcntl.h>

#include "support/must.hpp"

namespace lkl::test {

namespace {

constexpr unsigned names_per_directory = 8;
constexpr size_t largest_write = 20000;
constexpr size_t largest_file = 60000;
constexpr size_t most_held = 3;

std::span<const std::byte> bytes(const std::string& text)
{
    return std::as_bytes(std::span(text));
}

std::string directory_of(const std::string& name)
{
    return name.substr(0, name.find('/'));
}

}  // namespace

File Worker::open(const std::string& name, int flags, unsigned mode) const
{
    return must(top_.open_at(name.c_str(), flags, mode));
}

std::string Worker::free_name()
{
    std::vector<std::string> free;
    for (const char* directory : directories) {
        for (unsigned number = 0; number < names_per_directory; ++number) {
            std::string name = std::string(directory) + "/f" + std::to_string(number);
            if (history_.names().count(name) == 0)
                free.push_back(std::move(name));
        }
    }
    return free.empty() ? std::string() : free[below(free.size())];
}

std::string Worker::used_name()
{
    const History::Names& names = history_.names();
    return std::next(names.begin(), static_cast<ptrdiff_t>(below(names.size())))->first;
}

// Bytes that are not zero, and those of no other call but by chance.
std::string Worker::pattern(size_t size)
{
    std::string text(size, 0);
    uint64_t number = 0;
    for (char& byte : text) {
        if (number < 255)
            number = random_();
        byte = static_cast<char>(1 + number % 255);
        number /= 255;
    }
    return text;
}

void Worker::run(unsigned operations)
{
    for (unsigned i = 0; i < operations; ++i)
        operate();
}

void Worker::close()
{
    held_.clear();
    top_ = {};
}

void Worker::operate()
{
    if (history_.names().empty())
        return create();
    const uint64_t kind = below(100);
    if (kind < 16)
        create();
    else if (kind < 42)
        write(false);
    else if (kind < 48)
        write(true);
    else if (kind < 54)
        truncate();
    else if (kind < 62)
        rename();
    else if (kind < 66)
        link();
    else if (kind < 72)
        unlink();
    else if (kind < 76)
        replace();
    else if (kind < 84)
        sync(false);
    else if (kind < 91)
        sync(true);
    else if (kind < 98)
        sync_directory();
    else
        sync_all();
}

void Worker::create()
{
    const std::string name = free_name();
    if (name.empty())
        return unlink();
    history_.create(now(), name);
    must(open(name, LKL_O_WRONLY | LKL_O_CREAT | LKL_O_EXCL, 0644).close());
    if (below(4) != 0)
        write_at(name, 0, 1 + below(largest_write), false);
}

// Over what is there, at the end, or behind the end.
void Worker::write(bool durable)
{
    const std::string name = used_name();
    const uint64_t size = history_.content(file(name)).size();
    uint64_t offset = size;
    if (const uint64_t kind = below(8); kind < 3)
        offset = below(size + 1);
    else if (kind == 3)
        offset = size + below(9000);
    if (offset < largest_file)
        write_at(name, offset, 1 + below(below(4) == 0 ? largest_write : 3000), durable);
}

void Worker::write_at(const std::string& name, uint64_t offset, size_t size, bool durable)
{
    const File target = open(name, LKL_O_WRONLY | (durable ? LKL_O_DSYNC : 0));
    const std::string data = pattern(size);
    const History::FileId id = file(name);
    std::string content = history_.content(id);
    if (content.size() < offset + size)
        content.resize(offset + size);
    content.replace(offset, size, data);
    history_.change(now(), id, std::move(content));
    if (must(target.write_at(bytes(data), offset)) != size)
        throw std::runtime_error(name + ": a short write");
    if (durable)
        history_.range_synced(now(), id, offset, offset + size);
}

void Worker::truncate()
{
    const std::string name = used_name();
    const History::FileId id = file(name);
    std::string content = history_.content(id);
    content.resize(below(content.size() * 5 / 4 + 1));
    const uint64_t size = content.size();
    history_.change(now(), id, std::move(content));
    must(open(name, LKL_O_WRONLY).truncate(size));
}

// To a name that nobody has, or over another file.
void Worker::rename()
{
    const std::string from = used_name();
    std::string to = below(2) == 0 ? free_name() : used_name();
    // Of two names of one file, rename(2) leaves both.
    if (to.empty() || (history_.names().count(to) != 0 && file(to) == file(from)))
        return;
    history_.rename(now(), from, to);
    must(top_.rename_at(from.c_str(), top_, to.c_str()));
}

void Worker::link()
{
    const std::string name = used_name();
    const std::string other = free_name();
    if (other.empty())
        return;
    history_.link(now(), name, other);
    must(top_.link_at(name.c_str(), top_, other.c_str()));
}

// Some files live on for a while without a name.
void Worker::unlink()
{
    const std::string name = used_name();
    if (below(2) == 0)
        held_.push_back(open(name, LKL_O_RDWR));
    if (held_.size() > most_held)
        held_.pop_front();
    history_.unlink(now(), name);
    must(top_.remove_at(name.c_str()));
}

// As careful programs do it: a new file, synced, takes the place of the old.
void Worker::replace()
{
    const std::string fresh = free_name();
    if (fresh.empty())
        return;
    const std::string old = used_name();
    history_.create(now(), fresh);
    must(open(fresh, LKL_O_WRONLY | LKL_O_CREAT | LKL_O_EXCL, 0644).close());
    write_at(fresh, 0, 1 + below(largest_write), false);
    sync(fresh, false);
    history_.rename(now(), fresh, old);
    must(top_.rename_at(fresh.c_str(), top_, old.c_str()));
    if (below(2) == 0)
        sync_directory(directory_of(old));
}

void Worker::sync(bool data_only)
{
    sync(used_name(), data_only);
}

void Worker::sync(const std::string& name, bool data_only)
{
    must(open(name, LKL_O_RDWR).sync(data_only));
    if (data_only)
        history_.data_synced(now(), file(name));
    else
        history_.file_synced(now(), file(name));
}

void Worker::sync_directory()
{
    sync_directory(directories[below(directories.size())]);
}

void Worker::sync_directory(const std::string& directory)
{
    must(open(directory, LKL_O_RDONLY | LKL_O_DIRECTORY).sync());
    history_.directory_synced(now(), directory);
}

void Worker::sync_all()
{
    must(top_.sync_file_system());
    history_.all_synced(now());
}

FoundTree read_tree(const File& top)
{
    FoundTree tree;
    for (const char* name : Worker::directories) {
        Directory directory(must(top.open_at(name, LKL_O_RDONLY | LKL_O_DIRECTORY)));
        while (const DirectoryEntry* const entry = must(directory.next())) {
            const File file = must(directory.file().open_at(entry->name, LKL_O_RDONLY));
            const Stat stat = must(file.stat());
            FoundFile& found = tree[std::string(name) + '/' + entry->name];
            found.inode = stat.stx_ino;
            found.links = stat.stx_nlink;
            found.content.resize(stat.stx_size);
            for (size_t done = 0; done < found.content.size();) {
                const size_t count = must(file.read_at(
                    std::as_writable_bytes(std::span(found.content)).subspan(done), done));
                if (count == 0)
                    throw std::runtime_error(std::string(entry->name) + " ends too early");
                done += count;
            }
        }
    }
    return tree;
}

}  // namespace lkl::test
