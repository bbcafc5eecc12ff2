// SPDX-License-Identifier: GPL-2.0-only
// Names: what they mean, and how they come and go. Requests that change a directory
// come with the host's kernel holding its lock.
#include <array>
#include <climits>
#include <memory>
#include <span>

#include <lkl/linux/fcntl.h>
#include <lkl/linux/fs.h>

#include "lklfuse/caller.hpp"
#include "lklfuse/operations.hpp"

namespace tools::lklfuse {

namespace {

// Answers with what the name means now.
void reply_entry(fuse_req_t request, const InnerFile& directory, fuse_ino_t parent,
                 const char* name)
{
    FileSystem& fs = file_system(request);
    FileSystem::Found found;
    const long result = fs.find(directory.get(), name, found);
    fuse_entry_param entry{};
    if (result == -LKL_ENOENT && !fs.folds_case(parent)) {
        // That there is none is worth knowing too.
        entry.entry_timeout = forever;
        fuse_reply_entry(request, &entry);
        return;
    }
    if (result < 0)
        return reply_result(request, result);
    fs.enter(found, parent, name, entry);
    if (fuse_reply_entry(request, &entry) < 0)
        fs.forget(entry.ino, 1);
}

void lookup(fuse_req_t request, fuse_ino_t parent, const char* name)
{
    const InnerFile directory = file_system(request).reach(parent);
    if (!directory)
        return reply_result(request, directory.error());
    reply_entry(request, directory, parent, name);
}

void forget(fuse_req_t request, fuse_ino_t ino, uint64_t lookups)
{
    file_system(request).forget(ino, lookups);
    fuse_reply_none(request);
}

void forget_multi(fuse_req_t request, size_t count, fuse_forget_data* forgets)
{
    for (const fuse_forget_data& one : std::span(forgets, count))
        file_system(request).forget(one.ino, one.nlookup);
    fuse_reply_none(request);
}

// Makes something in a directory: make(directory) does, as the caller.
template <typename Make>
void reply_made(fuse_req_t request, fuse_ino_t parent, const char* name, Make make)
{
    FileSystem& fs = file_system(request);
    const InnerFile directory = fs.reach(parent);
    if (!directory)
        return reply_result(request, directory.error());
    fs.guard().count();
    long result = 0;
    {
        const AsCaller caller(fs.inner(), request);
        result = make(fs.inner(), directory.get());
    }
    if (result < 0)
        return reply_result(request, result);
    reply_entry(request, directory, parent, name);
}

void mknod(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, dev_t device)
{
    reply_made(request, parent, name, [=](Inner& inner, long directory) {
        return inner.call(__lkl__NR_mknodat, directory, name, mode, device);
    });
}

void mkdir(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode)
{
    reply_made(request, parent, name, [=](Inner& inner, long directory) {
        return inner.call(__lkl__NR_mkdirat, directory, name, mode);
    });
}

void symlink(fuse_req_t request, const char* target, fuse_ino_t parent, const char* name)
{
    reply_made(request, parent, name, [=](Inner& inner, long directory) {
        return inner.call(__lkl__NR_symlinkat, target, directory, name);
    });
}

void link(fuse_req_t request, fuse_ino_t ino, fuse_ino_t parent, const char* name)
{
    const InnerFile file = file_system(request).reach(ino);
    if (!file)
        return reply_result(request, file.error());
    reply_made(request, parent, name, [&file, name](Inner& inner, long directory) {
        return inner.call(__lkl__NR_linkat, file.get(), "", directory, name, LKL_AT_EMPTY_PATH);
    });
}

void refuse_prefetch(FileSystem& fs, fuse_ino_t ino)
{
    Node& node = fs.node(ino);
    const auto held = fs.prefetch().hold(node);
    Prefetch::refuse(node);
}

void create(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode,
            fuse_file_info* info)
{
    FileSystem& fs = file_system(request);
    const InnerFile directory = fs.reach(parent);
    if (!directory)
        return reply_result(request, directory.error());
    const int flags = inner_flags(fs, info->flags) | LKL_O_CREAT | LKL_O_NOFOLLOW |
                      ((info->flags & LKL_O_EXCL) != 0 ? LKL_O_EXCL : 0);
    fs.guard().count();
    InnerFile file(fs.inner(), [&] {
        const AsCaller caller(fs.inner(), request);
        return fs.inner().call(__lkl__NR_openat, directory.get(), name, flags, mode);
    }());
    if (!file)
        return reply_result(request, file.error());
    FileSystem::Found found;
    const long result =
        fs.has_handles() ? fs.find_open(file.get(), found) : fs.find(directory.get(), name, found);
    if (result < 0)
        return reply_result(request, result);
    fuse_entry_param entry;
    fs.enter(found, parent, name, entry);
    refuse_prefetch(fs, entry.ino);
    info->fh = static_cast<uint64_t>(file.get());
    info->keep_cache = 1;
    fs.node(entry.ino).writers += writes(*info);
    if (fuse_reply_create(request, &entry, info) < 0) {
        fs.node(entry.ino).writers -= writes(*info);
        fs.forget(entry.ino, 1);
    } else {
        file.release();
    }
}

void remove(fuse_req_t request, fuse_ino_t parent, const char* name, int flags)
{
    FileSystem& fs = file_system(request);
    const InnerFile directory = fs.reach(parent);
    if (!directory)
        return reply_result(request, directory.error());
    fs.guard().count();
    if (flags == LKL_AT_REMOVEDIR)
        fs.keep_directory(directory.get(), name);
    reply_result(request, fs.inner().call(__lkl__NR_unlinkat, directory.get(), name, flags));
}

void unlink(fuse_req_t request, fuse_ino_t parent, const char* name)
{
    remove(request, parent, name, 0);
}

void rmdir(fuse_req_t request, fuse_ino_t parent, const char* name)
{
    remove(request, parent, name, LKL_AT_REMOVEDIR);
}

void rename(fuse_req_t request, fuse_ino_t parent, const char* name, fuse_ino_t new_parent,
            const char* new_name, unsigned flags)
{
    FileSystem& fs = file_system(request);
    const InnerFile from = fs.reach(parent);
    const InnerFile to = fs.reach(new_parent);
    if (!from || !to)
        return reply_result(request, from ? to.error() : from.error());
    fs.guard().count();
    if ((flags & (LKL_RENAME_EXCHANGE | LKL_RENAME_NOREPLACE)) == 0)
        fs.keep_directory(to.get(), new_name);
    const long result =
        fs.inner().call(__lkl__NR_renameat2, from.get(), name, to.get(), new_name, flags);
    if (result == 0) {
        fs.renamed(to.get(), new_parent, new_name);
        if ((flags & LKL_RENAME_EXCHANGE) != 0)
            fs.renamed(from.get(), parent, name);
    }
    reply_result(request, result);
}

void readlink(fuse_req_t request, fuse_ino_t ino)
{
    FileSystem& fs = file_system(request);
    const InnerFile path = fs.reach(ino);
    if (!path)
        return reply_result(request, path.error());
    std::array<char, PATH_MAX + 1> target;
    const long length =
        fs.inner().call(__lkl__NR_readlinkat, path.get(), "", target.data(), target.size() - 1);
    if (length < 0)
        return reply_result(request, length);
    target[static_cast<size_t>(length)] = '\0';
    fuse_reply_readlink(request, target.data());
}

}  // namespace

void add_name_operations(fuse_lowlevel_ops& table)
{
    table.lookup = lookup;
    table.forget = forget;
    table.forget_multi = forget_multi;
    table.mknod = mknod;
    table.mkdir = mkdir;
    table.symlink = symlink;
    table.link = link;
    table.create = create;
    table.unlink = unlink;
    table.rmdir = rmdir;
    table.rename = rename;
    table.readlink = readlink;
}

}  // namespace tools::lklfuse
