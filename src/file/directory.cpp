// SPDX-License-Identifier: GPL-2.0-only
#include <lkl/file.hpp>

#include <cstring>
#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/asm/unistd.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/fs.h>

#include "file/error.hpp"

namespace lkl {

namespace {

// One record of getdents64(2): struct linux_dirent64 of the kernel, which is
// part of its ABI but of none of its user-API headers. Records follow each
// other, 8-byte aligned.
struct Record {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[1];
};
constexpr size_t record_header = offsetof(Record, name);

bool is_dot(const char* name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

}  // namespace

Directory::Directory(File file, size_t buffer_size)
    : file_(std::move(file)),
      buffer_(std::make_unique_for_overwrite<std::byte[]>(buffer_size)),
      buffer_size_(buffer_size)
{
}

Result<Directory> Directory::open(Kernel& kernel, const char* path)
{
    auto file = File::open(kernel, path, LKL_O_RDONLY | LKL_O_DIRECTORY);
    if (!file)
        return std::move(file).error();
    return Directory(*std::move(file));
}

Result<const DirectoryEntry*> Directory::next()
{
    for (;;) {
        if (position_ >= filled_) {
            if (!file_.is_open())
                return file::call_error(-LKL_EBADF, "read directory", {});
            const long result = file_.kernel().syscall(__lkl__NR_getdents64, file_.descriptor(),
                                                       buffer_.get(), buffer_size_);
            if (result < 0)
                return file::call_error(result, "read directory", {});
            if (result == 0)
                return nullptr;
            position_ = 0;
            filled_ = static_cast<size_t>(result);
        }
        const std::byte* const at = buffer_.get() + position_;
        Record record;
        std::memcpy(&record, at, record_header);
        position_ += record.length;
        const char* const name = reinterpret_cast<const char*>(at) + record_header;
        if (is_dot(name))
            continue;
        entry_ = {record.inode, static_cast<FileType>(record.type), name};
        return &entry_;
    }
}

Result<void> Directory::rewind()
{
    position_ = filled_ = 0;
    auto result = file_.seek(0, LKL_SEEK_SET);
    if (!result)
        return std::move(result).error();
    return {};
}

File Directory::release()
{
    position_ = filled_ = 0;
    return std::move(file_);
}

}  // namespace lkl
