// SPDX-License-Identifier: GPL-2.0-only
// Reading directories.
#include <memory>
#include <new>
#include <string_view>
#include <vector>

#include <lkl/linux/fcntl.h>

#include "lklfuse/directory_reader.hpp"
#include "lklfuse/operations.hpp"

namespace tools::lklfuse {

namespace {

DirectoryReader& reader_of(const fuse_file_info& info)
{
    // NOLINTNEXTLINE(performance-no-int-to-ptr): libfuse keeps it as a number
    return *reinterpret_cast<DirectoryReader*>(info.fh);
}

void opendir(fuse_req_t request, fuse_ino_t ino, fuse_file_info* info)
{
    FileSystem& fs = file_system(request);
    InnerFile directory = fs.open(ino, LKL_O_RDONLY | LKL_O_DIRECTORY);
    if (!directory)
        return reply_result(request, directory.error());
    auto reader = std::make_unique<DirectoryReader>(std::move(directory));
    info->fh = reinterpret_cast<uint64_t>(reader.get());
    // The host's kernel keeps the list until it changes the directory.
    info->cache_readdir = 1;
    info->keep_cache = 1;
    if (fuse_reply_open(request, info) == 0)
        (void)reader.release();
}

void releasedir(fuse_req_t request, fuse_ino_t /*ino*/, fuse_file_info* info)
{
    const std::unique_ptr<DirectoryReader> ended(&reader_of(*info));
    reply_result(request, 0);
}

void fsyncdir(fuse_req_t request, fuse_ino_t /*ino*/, int data_only, fuse_file_info* info)
{
    const long call = data_only != 0 ? __lkl__NR_fdatasync : __lkl__NR_fsync;
    reply_result(request, file_system(request).inner().call(call, reader_of(*info).descriptor()));
}

// The entries from a place on, as many as fit. add(entry, room, left) puts one there
// and returns its length; when that is more than is left, it is not there.
template <typename Add>
void reply_entries(fuse_req_t request, size_t size, off_t place, fuse_file_info* info, Add add)
{
    DirectoryReader& reader = reader_of(*info);
    std::vector<char> answer(size);
    size_t used = 0;
    long result = 0;
    while (const DirectoryName* entry = reader.at(place, result)) {
        const size_t length = add(*entry, answer.data() + used, size - used);
        if (length > size - used)
            break;
        used += length;
        place = entry->next;
    }
    // What was found before an error counts; the next request meets it again.
    if (result < 0 && used == 0)
        return reply_result(request, result);
    fuse_reply_buf(request, answer.data(), used);
}

void readdir(fuse_req_t request, fuse_ino_t /*ino*/, size_t size, off_t place, fuse_file_info* info)
{
    reply_entries(request, size, place, info,
                  [request](const DirectoryName& entry, char* room, size_t left) {
                      struct stat stat {};
                      stat.st_ino = entry.inode;
                      stat.st_mode = entry.type;
                      return fuse_add_direntry(request, room, left, entry.name, &stat, entry.next);
                  });
}

// With all attributes, and a lookup of each. One that cannot be had is listed by name.
size_t add_with_attributes(fuse_req_t request, fuse_ino_t parent, long directory,
                           const DirectoryName& entry, char* room, size_t left)
{
    using namespace std::string_view_literals;
    FileSystem& fs = file_system(request);
    fuse_entry_param param{};
    param.attr.st_ino = entry.inode;
    param.attr.st_mode = entry.type;
    const size_t length = fuse_add_direntry_plus(request, nullptr, 0, entry.name, &param, 0);
    if (length > left)
        return length;
    FileSystem::Found found;
    if (entry.name != "."sv && entry.name != ".."sv && fs.find(directory, entry.name, found) == 0)
        fs.enter(found, parent, entry.name, param);
    return fuse_add_direntry_plus(request, room, left, entry.name, &param, entry.next);
}

void readdirplus(fuse_req_t request, fuse_ino_t ino, size_t size, off_t place, fuse_file_info* info)
{
    const long directory = reader_of(*info).descriptor();
    reply_entries(request, size, place, info,
                  [=](const DirectoryName& entry, char* room, size_t left) {
                      return add_with_attributes(request, ino, directory, entry, room, left);
                  });
}

}  // namespace

void add_directory_operations(fuse_lowlevel_ops& table)
{
    table.opendir = opendir;
    table.releasedir = releasedir;
    table.fsyncdir = fsyncdir;
    table.readdir = readdir;
    table.readdirplus = readdirplus;
}

}  // namespace tools::lklfuse
