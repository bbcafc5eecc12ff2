// SPDX-License-Identifier: GPL-2.0-only
#include <array>
#include <cstddef>
#include <new>

#include <lkl.h>

#include "capi/guarded.hpp"

struct lkl_dir {
    int descriptor;
    int error;
    size_t position;
    size_t filled;
    // The kernel writes whole records, aligned to eight bytes.
    alignas(8) std::array<std::byte, 32 << 10> buffer;
};

namespace {

lkl_dir* make_directory(int descriptor, int* err)
{
    auto* const dir = new (std::nothrow) lkl_dir;
    if (dir == nullptr) {
        *err = -LKL_ENOMEM;
        return nullptr;
    }
    dir->descriptor = descriptor;
    dir->error = 0;
    dir->position = 0;
    dir->filled = 0;
    *err = 0;
    return dir;
}

}  // namespace

using lkl::capi::guarded;

extern "C" {

struct lkl_dir* lkl_opendir(const char* path, int* err)
{
    return guarded(__func__, {path, err}, [&]() -> lkl_dir* {
        const long descriptor = lkl_sys_open(path, LKL_O_RDONLY | LKL_O_DIRECTORY, 0);
        if (descriptor < 0) {
            *err = static_cast<int>(descriptor);
            return nullptr;
        }
        lkl_dir* const dir = make_directory(static_cast<int>(descriptor), err);
        if (dir == nullptr)
            lkl_sys_close(static_cast<unsigned>(descriptor));
        return dir;
    });
}

struct lkl_dir* lkl_fdopendir(int fd, int* err)
{
    return guarded(__func__, {err}, [&]() -> lkl_dir* {
        struct lkl_stat status;
        const long result = lkl_sys_fstat(static_cast<unsigned>(fd), &status);
        if (result < 0 || !LKL_S_ISDIR(status.st_mode)) {
            *err = result < 0 ? static_cast<int>(result) : -LKL_ENOTDIR;
            return nullptr;
        }
        return make_directory(fd, err);
    });
}

struct lkl_linux_dirent64* lkl_readdir(struct lkl_dir* dir)
{
    return guarded(__func__, {dir}, [&]() -> lkl_linux_dirent64* {
        if (dir->position >= dir->filled) {
            const long result = lkl_sys_getdents64(
                static_cast<unsigned>(dir->descriptor),
                reinterpret_cast<lkl_linux_dirent64*>(dir->buffer.data()), dir->buffer.size());
            dir->error = result < 0 ? static_cast<int>(result) : 0;
            dir->position = 0;
            dir->filled = result < 0 ? 0 : static_cast<size_t>(result);
            if (dir->filled == 0)
                return nullptr;
        }
        auto* const entry =
            reinterpret_cast<lkl_linux_dirent64*>(dir->buffer.data() + dir->position);
        dir->position += entry->d_reclen;
        return entry;
    });
}

int lkl_errdir(struct lkl_dir* dir)
{
    return guarded(__func__, {dir}, [&] { return dir->error; });
}

void lkl_rewinddir(struct lkl_dir* dir)
{
    guarded(__func__, {dir}, [&] {
        const long result = lkl_sys_lseek(static_cast<unsigned>(dir->descriptor), 0, LKL_SEEK_SET);
        dir->error = result < 0 ? static_cast<int>(result) : 0;
        dir->position = 0;
        dir->filled = 0;
    });
}

int lkl_dirfd(struct lkl_dir* dir)
{
    return guarded(__func__, {dir}, [&] { return dir->descriptor; });
}

int lkl_closedir(struct lkl_dir* dir)
{
    return guarded(__func__, {dir}, [&] {
        const long result = lkl_sys_close(static_cast<unsigned>(dir->descriptor));
        delete dir;
        return static_cast<int>(result);
    });
}

}  // extern "C"
