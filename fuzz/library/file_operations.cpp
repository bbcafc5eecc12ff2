// SPDX-License-Identifier: GPL-2.0-only
#include "file_operations.hpp"

#include <array>
#include <cstring>

#include <lkl/asm-generic/fcntl.h>
#include <lkl/asm-generic/unistd.h>
#include <lkl/linux/falloc.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/fs.h>
#include <lkl/linux/stat.h>

namespace lkl::fuzz {

namespace {

constexpr int most_operations = 64;

constexpr std::array names{
    "a",
    "dir",
    "dir/b",
    "dir/large",
    "dir/deeper",
    "dir/deeper/c",
    "link",
    "hard",
    "new",
    "new/d",
    "dir/new",
    ".",
    "dir/file7",
    "dir/file31",
    "dir/sparse",
    "dir/compressed",
    "fifo",
    "a-name-that-is-longer-than-what-fits-into-an-inode-or-a-short-directory-entry-of-any-type",
};

constexpr std::array attributes{"user.a", "user.long-name-of-an-attribute", "trusted.t",
                                "security.selinux", "system.posix_acl_access"};

// Sizes and places are seldom interesting unless they are near a border.
constexpr std::array<uint64_t, 8> scales{1,       512,     4096,       65536,
                                         1 << 20, 1 << 24, 1ull << 30, 1ull << 40};

class Operations {
public:
    Operations(Kernel& kernel, const std::string& directory, Input& input)
        : kernel_(kernel), directory_(directory + "/"), input_(input)
    {
        buffer_.fill('x');
    }

    void run();

private:
    using Operation = void (Operations::*)();
    static const std::array<Operation, 24> all;

    std::string path() { return directory_ + input_.choice(names); }
    uint64_t size()
    {
        const uint64_t scale = input_.choice(scales);
        return scale * input_.byte() + (input_.byte() & 3) - 1;
    }
    template <typename... Args>
    long call(long number, Args... args)
    {
        return kernel_.syscall(number, args...);
    }
    // Opens a file, does something with it and closes it.
    template <typename Action>
    void with_file(int flags, Action action)
    {
        const long fd =
            call(__lkl__NR_openat, LKL_AT_FDCWD, path().c_str(), flags | LKL_O_NONBLOCK, 0644);
        if (fd < 0)
            return;
        action(fd);
        call(__lkl__NR_close, fd);
    }

    void read();
    void read_all();
    void write();
    void write_direct();
    void truncate();
    void allocate();
    void punch();
    void seek_hole();
    void list();
    void look();
    void make_file();
    void make_directory();
    void make_node();
    void make_symlink();
    void read_link();
    void make_link();
    void remove_file();
    void remove_directory();
    void rename();
    void set_attribute();
    void get_attributes();
    void change_mode();
    void flush();
    void get_flags();

    Kernel& kernel_;
    const std::string directory_;
    Input& input_;
    std::array<char, 16384> buffer_;
};

const std::array<Operations::Operation, 24> Operations::all{
    &Operations::read,         &Operations::read_all,      &Operations::write,
    &Operations::write_direct, &Operations::truncate,      &Operations::allocate,
    &Operations::punch,        &Operations::seek_hole,     &Operations::list,
    &Operations::look,         &Operations::make_file,     &Operations::make_directory,
    &Operations::make_node,    &Operations::make_symlink,  &Operations::read_link,
    &Operations::make_link,    &Operations::remove_file,   &Operations::remove_directory,
    &Operations::rename,       &Operations::set_attribute, &Operations::get_attributes,
    &Operations::change_mode,  &Operations::flush,         &Operations::get_flags,
};

void Operations::read()
{
    with_file(LKL_O_RDONLY, [this](long fd) {
        call(__lkl__NR_pread64, fd, buffer_.data(), buffer_.size(), size());
    });
}

void Operations::read_all()
{
    with_file(LKL_O_RDONLY, [this](long fd) {
        for (int i = 0; i < 16 && call(__lkl__NR_read, fd, buffer_.data(), buffer_.size()) > 0; ++i)
            ;
    });
}

void Operations::write()
{
    with_file(LKL_O_WRONLY, [this](long fd) {
        const uint64_t place = size();
        call(__lkl__NR_pwrite64, fd, buffer_.data(), input_.word() % buffer_.size(), place);
    });
}

void Operations::write_direct()
{
    alignas(4096) static char aligned[4096];
    with_file(LKL_O_WRONLY | LKL_O_DIRECT, [this](long fd) {
        call(__lkl__NR_pwrite64, fd, aligned, sizeof aligned, size() & ~4095ull);
    });
}

void Operations::truncate()
{
    const std::string file = path();
    call(__lkl__NR_truncate, file.c_str(), size());
}

void Operations::allocate()
{
    with_file(LKL_O_WRONLY, [this](long fd) {
        const uint64_t place = size();
        call(__lkl__NR_fallocate, fd, input_.byte() & LKL_FALLOC_FL_KEEP_SIZE, place,
             input_.word() * 64ull);
    });
}

void Operations::punch()
{
    static constexpr std::array<int, 4> modes{
        LKL_FALLOC_FL_PUNCH_HOLE | LKL_FALLOC_FL_KEEP_SIZE, LKL_FALLOC_FL_ZERO_RANGE,
        LKL_FALLOC_FL_COLLAPSE_RANGE, LKL_FALLOC_FL_INSERT_RANGE};
    with_file(LKL_O_RDWR, [this](long fd) {
        const int mode = input_.choice(modes);
        const uint64_t place = size();
        call(__lkl__NR_fallocate, fd, mode, place, input_.byte() * 4096ull);
    });
}

void Operations::seek_hole()
{
    with_file(LKL_O_RDONLY, [this](long fd) {
        const long data = call(__lkl__NR_lseek, fd, size(), LKL_SEEK_DATA);
        call(__lkl__NR_lseek, fd, data, LKL_SEEK_HOLE);
    });
}

void Operations::list()
{
    with_file(LKL_O_RDONLY | LKL_O_DIRECTORY, [this](long fd) {
        for (int i = 0; i < 8 && call(__lkl__NR_getdents64, fd, buffer_.data(), buffer_.size()) > 0;
             ++i)
            ;
    });
}

void Operations::look()
{
    struct ::lkl_statx stat;
    call(__lkl__NR_statx, LKL_AT_FDCWD, path().c_str(), LKL_AT_SYMLINK_NOFOLLOW, LKL_STATX_ALL,
         &stat);
    call(__lkl__NR_statfs, directory_.c_str(), buffer_.data());
    buffer_.fill('x');
}

void Operations::make_file()
{
    with_file(LKL_O_RDWR | LKL_O_CREAT, [this](long fd) {
        call(__lkl__NR_write, fd, buffer_.data(), input_.word() % buffer_.size());
    });
}

void Operations::make_directory()
{
    call(__lkl__NR_mkdirat, LKL_AT_FDCWD, path().c_str(), 0755);
}

void Operations::make_node()
{
    call(__lkl__NR_mknodat, LKL_AT_FDCWD, path().c_str(), 0010644 /* a FIFO */, 0);
}

void Operations::make_symlink()
{
    const std::string target = input_.choice(names);
    call(__lkl__NR_symlinkat, target.c_str(), LKL_AT_FDCWD, path().c_str());
}

void Operations::read_link()
{
    call(__lkl__NR_readlinkat, LKL_AT_FDCWD, path().c_str(), buffer_.data(), buffer_.size());
}

void Operations::make_link()
{
    const std::string from = path();
    call(__lkl__NR_linkat, LKL_AT_FDCWD, from.c_str(), LKL_AT_FDCWD, path().c_str(), 0);
}

void Operations::remove_file()
{
    call(__lkl__NR_unlinkat, LKL_AT_FDCWD, path().c_str(), 0);
}

void Operations::remove_directory()
{
    call(__lkl__NR_unlinkat, LKL_AT_FDCWD, path().c_str(), LKL_AT_REMOVEDIR);
}

void Operations::rename()
{
    const std::string from = path();
    const std::string to = path();
    call(__lkl__NR_renameat2, LKL_AT_FDCWD, from.c_str(), LKL_AT_FDCWD, to.c_str(),
         input_.byte() & 7);
}

void Operations::set_attribute()
{
    const std::string file = path();
    const char* const name = input_.choice(attributes);
    call(__lkl__NR_lsetxattr, file.c_str(), name, buffer_.data(), input_.word() % 4096, 0);
}

void Operations::get_attributes()
{
    const std::string file = path();
    call(__lkl__NR_llistxattr, file.c_str(), buffer_.data(), buffer_.size());
    call(__lkl__NR_lgetxattr, file.c_str(), input_.choice(attributes), buffer_.data(),
         buffer_.size());
    buffer_.fill('x');
}

void Operations::change_mode()
{
    const std::string file = path();
    call(__lkl__NR_fchmodat, LKL_AT_FDCWD, file.c_str(), input_.word() & 07777);
    call(__lkl__NR_fchownat, LKL_AT_FDCWD, file.c_str(), input_.byte(), input_.byte(), 0);
}

void Operations::flush()
{
    with_file(LKL_O_RDONLY, [this](long fd) {
        call(input_.byte() & 1 ? __lkl__NR_fsync : __lkl__NR_syncfs, fd);
    });
}

void Operations::get_flags()
{
    with_file(LKL_O_RDONLY, [this](long fd) {
        unsigned long flags = 0;
        call(__lkl__NR_ioctl, fd, LKL_FS_IOC_GETFLAGS, &flags);
        flags ^= input_.byte();
        call(__lkl__NR_ioctl, fd, LKL_FS_IOC_SETFLAGS, &flags);
    });
}

void Operations::run()
{
    for (int i = 0; i < most_operations && !input_.empty(); ++i)
        (this->*input_.choice(all))();
}

}  // namespace

void run_file_operations(Kernel& kernel, const std::string& directory, Input& input)
{
    Operations(kernel, directory, input).run();
}

}  // namespace lkl::fuzz
