// SPDX-License-Identifier: GPL-2.0-only
#include "fuse_server.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <lkl/asm-generic/errno.h>
#include <lkl/asm-generic/fcntl.h>
#include <lkl/asm/unistd.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/ioctl.h>
#include <lkl/linux/stat.h>

namespace lkl::test {

namespace {

using Header = struct ::lkl_fuse_in_header;
using Answer = struct ::lkl_fuse_out_header;

long result_of(long value)
{
    return value < 0 ? -errno : value;
}

// By which calls that follow links reach the file of an O_PATH descriptor.
std::string path_of(int fd)
{
    return "/proc/self/fd/" + std::to_string(fd);
}

void fill(struct ::lkl_fuse_attr& attributes, const struct ::stat& found)
{
    attributes = {};
    attributes.ino = found.st_ino;
    attributes.size = static_cast<uint64_t>(found.st_size);
    attributes.blocks = static_cast<uint64_t>(found.st_blocks);
    attributes.atime = static_cast<uint64_t>(found.st_atim.tv_sec);
    attributes.mtime = static_cast<uint64_t>(found.st_mtim.tv_sec);
    attributes.ctime = static_cast<uint64_t>(found.st_ctim.tv_sec);
    attributes.atimensec = static_cast<uint32_t>(found.st_atim.tv_nsec);
    attributes.mtimensec = static_cast<uint32_t>(found.st_mtim.tv_nsec);
    attributes.ctimensec = static_cast<uint32_t>(found.st_ctim.tv_nsec);
    attributes.mode = found.st_mode;
    attributes.nlink = static_cast<uint32_t>(found.st_nlink);
    attributes.uid = found.st_uid;
    attributes.gid = found.st_gid;
    attributes.blksize = static_cast<uint32_t>(found.st_blksize);
}

}  // namespace

// A request, and where its answer goes.
struct FuseServer::Request {
    const Header& header;
    const char* data;  // behind the header
    char* out;
    size_t used = 0;

    template <typename T>
    const T& as() const
    {
        return *reinterpret_cast<const T*>(data);
    }
    // What follows a structure, such as a name.
    template <typename T>
    const char* behind() const
    {
        return data + sizeof(T);
    }
    template <typename T>
    T& add()
    {
        T* const at = reinterpret_cast<T*>(out + used);
        std::memset(at, 0, sizeof *at);
        used += sizeof *at;
        return *at;
    }
};

long open_fuse_device(Kernel& kernel)
{
    constexpr uint32_t number = 10 << 8 | 229;
    const char* const path = "/fuse-device";
    kernel.syscall(__lkl__NR_mknodat, LKL_AT_FDCWD, path, LKL_S_IFCHR | 0600, number);
    return kernel.syscall(__lkl__NR_openat, LKL_AT_FDCWD, path, LKL_O_RDWR | LKL_O_CLOEXEC, 0);
}

FuseServer::FuseServer(Kernel& kernel, const std::string& directory, const FuseOptions& options)
    : kernel_(kernel), options_(options)
{
    nodes_[LKL_FUSE_ROOT_ID] = {::open(directory.c_str(), O_PATH | O_CLOEXEC), 1, {}};
}

FuseServer::~FuseServer()
{
    // An unmounted connection, or one that is aborted, has no more requests.
    kernel_.syscall(__lkl__NR_umount2, where_.c_str(), MNT_FORCE | MNT_DETACH);
    join();
    for (Worker& worker : workers_) {
        for (const long fd : {worker.device, long{worker.pipe[0]}, long{worker.pipe[1]}})
            kernel_.syscall(__lkl__NR_close, fd);
        if (options_.splices) {
            delete[] worker.in;
            delete[] worker.out;
        } else {
            kernel_.syscall(__lkl__NR_munmap, worker.in, buffer_size);
            kernel_.syscall(__lkl__NR_munmap, worker.out, buffer_size);
        }
    }
    for (const auto& [number, node] : nodes_)
        ::close(node.fd);
}

long FuseServer::mount(const std::string& where)
{
    where_ = where;
    for (int i = 0; i < options_.threads; ++i) {
        Worker& worker = workers_.emplace_back();
        worker.device = open_fuse_device(kernel_);
        if (worker.device < 0)
            return worker.device;
        if (const long result = prepare(worker); result < 0)
            return result;
    }
    const long first = workers_.front().device;
    const std::string options = "fd=" + std::to_string(first) +
                                ",rootmode=40000,user_id=0,group_id=0,"
                                "default_permissions,allow_other";
    const long result =
        kernel_.syscall(__lkl__NR_mount, "host", where.c_str(), "fuse", 0, options.c_str());
    if (result < 0)
        return result;
    for (Worker& worker : workers_) {
        if (worker.device != first) {
            const auto fd = static_cast<uint32_t>(first);
            const long cloned =
                kernel_.syscall(__lkl__NR_ioctl, worker.device, LKL_FUSE_DEV_IOC_CLONE, &fd);
            if (cloned < 0)
                return cloned;
        }
        worker.thread = std::thread([this, &worker] { serve(worker); });
    }
    return 0;
}

long FuseServer::join()
{
    for (Worker& worker : workers_) {
        if (worker.thread.joinable())
            worker.thread.join();
    }
    return last_result_;
}

long FuseServer::prepare(Worker& worker)
{
    if (!options_.splices) {
        for (char** const buffer : {&worker.in, &worker.out}) {
            const long address =
                kernel_.syscall(__lkl__NR_mmap, nullptr, buffer_size, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (address < 0)
                return address;
            *buffer = reinterpret_cast<char*>(address);
        }
        return 0;
    }
    worker.in = new char[buffer_size];
    worker.out = new char[buffer_size];
    const long made = kernel_.syscall(__lkl__NR_pipe2, worker.pipe, LKL_O_CLOEXEC);
    if (made < 0)
        return made;
    const long size =
        kernel_.syscall(__lkl__NR_fcntl, worker.pipe[0], LKL_F_SETPIPE_SZ, 2 * most_fuse_data);
    return std::min(size, 0l);
}

// Into the buffer, as a whole.
long FuseServer::receive(Worker& worker)
{
    if (!options_.splices)
        return kernel_.syscall(__lkl__NR_read, worker.device, worker.in, buffer_size);
    const long size = kernel_.syscall(__lkl__NR_splice, worker.device, nullptr, worker.pipe[1],
                                      nullptr, buffer_size, 0);
    if (size <= 0)
        return size;
    const long got = kernel_.syscall(__lkl__NR_read, worker.pipe[0], worker.in, size);
    return got == size || got < 0 ? got : -EIO;
}

long FuseServer::send(Worker& worker, size_t size)
{
    if (!options_.splices)
        return kernel_.syscall(__lkl__NR_write, worker.device, worker.out, size);
    const long put = kernel_.syscall(__lkl__NR_write, worker.pipe[1], worker.out, size);
    if (put != static_cast<long>(size))
        return put < 0 ? put : -EIO;
    return kernel_.syscall(__lkl__NR_splice, worker.pipe[0], nullptr, worker.device, nullptr, size,
                           0);
}

void FuseServer::serve(Worker& worker)
{
    for (;;) {
        const long size = receive(worker);
        if (size == -ENOENT)
            continue;  // a request that was taken back meanwhile
        if (size < static_cast<long>(sizeof(Header))) {
            last_result_ = size;
            return;
        }
        const Header& header = *reinterpret_cast<const Header*>(worker.in);
        const uint32_t opcode = header.opcode;
        if (opcode < counts_.size())
            ++counts_[opcode];
        if (manner_ == Manner::leaves) {
            kernel_.syscall(__lkl__NR_close, worker.device);
            worker.device = -1;
            last_result_ = 0;
            return;
        }
        if (manner_ == Manner::ignores)
            continue;
        if (manner_ == Manner::writes_slowly && opcode == LKL_FUSE_WRITE)
            std::this_thread::sleep_for(slowness_.load());
        Request request{.header = header,
                        .data = worker.in + sizeof(Header),
                        .out = worker.out + sizeof(Answer)};
        const long result = answer(request);
        if (opcode == LKL_FUSE_FORGET || opcode == LKL_FUSE_BATCH_FORGET ||
            opcode == LKL_FUSE_INTERRUPT)
            continue;
        const size_t length = sizeof(Answer) + static_cast<size_t>(std::max(result, 0l));
        const Answer head{.len = static_cast<uint32_t>(length),
                          .error = static_cast<int32_t>(std::min(result, 0l)),
                          .unique = request.header.unique};
        std::memcpy(worker.out, &head, sizeof head);
        const long sent = send(worker, length);
        // -ENOENT: nobody waits for it any more.
        if (sent < 0 && sent != -ENOENT) {
            last_result_ = sent;
            return;
        }
    }
}

long FuseServer::answer(Request& request)
{
    const uint64_t node = request.header.nodeid;
    switch (request.header.opcode) {
    case LKL_FUSE_INIT:
        return initialize(request);
    case LKL_FUSE_LOOKUP:
        return look_up(request, request.data);
    case LKL_FUSE_FORGET:
        forget(node, request.as<struct ::lkl_fuse_forget_in>().nlookup);
        return 0;
    case LKL_FUSE_BATCH_FORGET: {
        const auto& all = request.as<struct ::lkl_fuse_batch_forget_in>();
        const auto* one = reinterpret_cast<const struct ::lkl_fuse_forget_one*>(&all + 1);
        for (uint32_t i = 0; i < all.count; ++i, ++one)
            forget(one->nodeid, one->nlookup);
        return 0;
    }
    case LKL_FUSE_GETATTR:
        return describe(request, descriptor(node));
    case LKL_FUSE_SETATTR:
        return change(request);
    case LKL_FUSE_READLINK:
        return result_of(::readlinkat(descriptor(node), "", request.out, most_fuse_data));
    case LKL_FUSE_SYMLINK:
    case LKL_FUSE_MKNOD:
    case LKL_FUSE_MKDIR:
    case LKL_FUSE_LINK:
        return make(request);
    case LKL_FUSE_UNLINK:
        return result_of(::unlinkat(descriptor(node), request.data, 0));
    case LKL_FUSE_RMDIR:
        return result_of(::unlinkat(descriptor(node), request.data, AT_REMOVEDIR));
    case LKL_FUSE_RENAME:
    case LKL_FUSE_RENAME2:
        return rename(request);
    case LKL_FUSE_OPEN:
    case LKL_FUSE_OPENDIR:
    case LKL_FUSE_CREATE:
        return open(request);
    case LKL_FUSE_READ: {
        const auto& read = request.as<struct ::lkl_fuse_read_in>();
        return result_of(::pread(static_cast<int>(read.fh), request.out,
                                 std::min(read.size, most_fuse_data),
                                 static_cast<off_t>(read.offset)));
    }
    case LKL_FUSE_WRITE: {
        const auto& write = request.as<struct ::lkl_fuse_write_in>();
        const long result = result_of(::pwrite(static_cast<int>(write.fh), &write + 1, write.size,
                                               static_cast<off_t>(write.offset)));
        if (result < 0)
            return result;
        request.add<struct ::lkl_fuse_write_out>().size = static_cast<uint32_t>(result);
        return static_cast<long>(request.used);
    }
    case LKL_FUSE_FSYNC:
        return result_of(::fsync(static_cast<int>(request.as<struct ::lkl_fuse_fsync_in>().fh)));
    case LKL_FUSE_RELEASE:
        return result_of(::close(static_cast<int>(request.as<struct ::lkl_fuse_release_in>().fh)));
    case LKL_FUSE_RELEASEDIR:
        return result_of(
            ::closedir(reinterpret_cast<DIR*>(request.as<struct ::lkl_fuse_release_in>().fh)));
    case LKL_FUSE_READDIR:
        return read_directory(request, false);
    case LKL_FUSE_READDIRPLUS:
        return read_directory(request, true);
    case LKL_FUSE_STATFS:
        return count_space(request);
    case LKL_FUSE_FLUSH:
    case LKL_FUSE_DESTROY:
        return 0;
    default:
        return -ENOSYS;
    }
}

long FuseServer::initialize(Request& request)
{
    const auto& theirs = request.as<struct ::lkl_fuse_init_in>();
    if (theirs.major != LKL_FUSE_KERNEL_VERSION)
        return -EPROTO;
    auto& ours = request.add<struct ::lkl_fuse_init_out>();
    ours.major = LKL_FUSE_KERNEL_VERSION;
    ours.minor = LKL_FUSE_KERNEL_MINOR_VERSION;
    ours.max_readahead = theirs.max_readahead;
    agreed_flags_ = theirs.flags & options_.flags;
    ours.flags = agreed_flags_ | (theirs.flags & (LKL_FUSE_BIG_WRITES | LKL_FUSE_MAX_PAGES));
    ours.max_write = options_.max_write;
    ours.max_pages = most_fuse_data / 4096;
    ours.time_gran = 1;
    ours.max_background = 16;
    ours.congestion_threshold = 12;
    return static_cast<long>(request.used);
}

// The file of `fd`, which is kept or closed, as an entry.
long FuseServer::enter(Request& request, int fd)
{
    struct ::stat found {};
    if (fd < 0 || ::fstat(fd, &found) != 0) {
        const long error = -errno;
        if (fd >= 0)
            ::close(fd);
        return error;
    }
    auto& entry = request.add<struct ::lkl_fuse_entry_out>();
    fill(entry.attr, found);
    entry.entry_valid = entry.attr_valid = options_.seconds;
    const std::lock_guard lock(mutex_);
    const std::pair<uint64_t, uint64_t> identity{found.st_dev, found.st_ino};
    auto [at, is_new] = numbers_.try_emplace(identity, next_number_);
    if (is_new)
        nodes_[next_number_++] = {fd, 0, identity};
    else
        ::close(fd);
    ++nodes_[at->second].lookups;
    entry.nodeid = at->second;
    return static_cast<long>(request.used);
}

long FuseServer::look_up(Request& request, const char* name)
{
    return enter(request, ::openat(descriptor(request.header.nodeid), name,
                                   O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

long FuseServer::describe(Request& request, int fd)
{
    struct ::stat found {};
    if (::fstat(fd, &found) != 0)
        return -errno;
    auto& answer = request.add<struct ::lkl_fuse_attr_out>();
    fill(answer.attr, found);
    answer.attr_valid = options_.seconds;
    return static_cast<long>(request.used);
}

long FuseServer::change(Request& request)
{
    const auto& wanted = request.as<struct ::lkl_fuse_setattr_in>();
    const int fd = descriptor(request.header.nodeid);
    const std::string path = path_of(fd);
    if ((wanted.valid & LKL_FATTR_MODE) != 0 && ::chmod(path.c_str(), wanted.mode) != 0)
        return -errno;
    if ((wanted.valid & (LKL_FATTR_UID | LKL_FATTR_GID)) != 0) {
        const uid_t uid = (wanted.valid & LKL_FATTR_UID) != 0 ? wanted.uid : uid_t(-1);
        const gid_t gid = (wanted.valid & LKL_FATTR_GID) != 0 ? wanted.gid : gid_t(-1);
        if (::fchownat(fd, "", uid, gid, AT_EMPTY_PATH) != 0)
            return -errno;
    }
    if ((wanted.valid & LKL_FATTR_SIZE) != 0 &&
        ::truncate(path.c_str(), static_cast<off_t>(wanted.size)) != 0)
        return -errno;
    if ((wanted.valid & (LKL_FATTR_ATIME | LKL_FATTR_MTIME)) != 0) {
        const auto time = [&](uint32_t set, uint32_t now, uint64_t seconds, uint32_t rest) {
            if ((wanted.valid & now) != 0)
                return timespec{0, UTIME_NOW};
            if ((wanted.valid & set) == 0)
                return timespec{0, UTIME_OMIT};
            return timespec{static_cast<time_t>(seconds), rest};
        };
        const timespec times[] = {
            time(LKL_FATTR_ATIME, LKL_FATTR_ATIME_NOW, wanted.atime, wanted.atimensec),
            time(LKL_FATTR_MTIME, LKL_FATTR_MTIME_NOW, wanted.mtime, wanted.mtimensec)};
        if (::utimensat(AT_FDCWD, path.c_str(), times, 0) != 0)
            return -errno;
    }
    return describe(request, fd);
}

long FuseServer::make(Request& request)
{
    const int at = descriptor(request.header.nodeid);
    const char* name = request.data;
    int result = 0;
    if (request.header.opcode == LKL_FUSE_SYMLINK) {
        result = ::symlinkat(name + std::strlen(name) + 1, at, name);
    } else if (request.header.opcode == LKL_FUSE_MKDIR) {
        name = request.behind<struct ::lkl_fuse_mkdir_in>();
        result = ::mkdirat(at, name, request.as<struct ::lkl_fuse_mkdir_in>().mode);
    } else if (request.header.opcode == LKL_FUSE_MKNOD) {
        name = request.behind<struct ::lkl_fuse_mknod_in>();
        const auto& node = request.as<struct ::lkl_fuse_mknod_in>();
        result = ::mknodat(at, name, node.mode, node.rdev);
    } else {
        name = request.behind<struct ::lkl_fuse_link_in>();
        const int file = descriptor(request.as<struct ::lkl_fuse_link_in>().oldnodeid);
        result = ::linkat(AT_FDCWD, path_of(file).c_str(), at, name, AT_SYMLINK_FOLLOW);
    }
    return result == 0 ? look_up(request, name) : -errno;
}

long FuseServer::open(Request& request)
{
    const int node = descriptor(request.header.nodeid);
    uint64_t handle = 0;
    if (request.header.opcode == LKL_FUSE_OPENDIR) {
        const int fd = ::openat(node, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR* const directory = fd < 0 ? nullptr : ::fdopendir(fd);
        if (!directory)
            return -errno;
        handle = reinterpret_cast<uint64_t>(directory);
    } else {
        const bool is_new = request.header.opcode == LKL_FUSE_CREATE;
        uint32_t flags = request.as<struct ::lkl_fuse_open_in>().flags | O_CLOEXEC;
        // The kernel's cache reads what it does not write, and knows where the end is.
        if ((agreed_flags_ & LKL_FUSE_WRITEBACK_CACHE) != 0) {
            flags &= ~static_cast<uint32_t>(O_APPEND);
            if ((flags & O_ACCMODE) == O_WRONLY)
                flags = (flags & ~static_cast<uint32_t>(O_ACCMODE)) | O_RDWR;
        }
        int fd = -1;
        if (is_new) {
            const auto& wanted = request.as<struct ::lkl_fuse_create_in>();
            const char* const name = request.behind<struct ::lkl_fuse_create_in>();
            fd = ::openat(node, name, static_cast<int>(flags) | O_CREAT | O_NOFOLLOW, wanted.mode);
            if (fd < 0)
                return -errno;
            if (const long result = look_up(request, name); result < 0) {
                ::close(fd);
                return result;
            }
        } else {
            fd = ::open(path_of(node).c_str(), static_cast<int>(flags) & ~O_NOFOLLOW);
            if (fd < 0)
                return -errno;
        }
        handle = static_cast<uint64_t>(fd);
    }
    auto& answer = request.add<struct ::lkl_fuse_open_out>();
    answer.fh = handle;
    answer.open_flags = request.header.opcode == LKL_FUSE_OPENDIR ? 0 : options_.open_flags;
    return static_cast<long>(request.used);
}

long FuseServer::rename(Request& request)
{
    const int from = descriptor(request.header.nodeid);
    const bool has_flags = request.header.opcode == LKL_FUSE_RENAME2;
    const auto& wanted = request.as<struct ::lkl_fuse_rename2_in>();  // begins as the other
    const char* const name = has_flags ? request.behind<struct ::lkl_fuse_rename2_in>()
                                       : request.behind<struct ::lkl_fuse_rename_in>();
    return result_of(::renameat2(from, name, descriptor(wanted.newdir),
                                 name + std::strlen(name) + 1, has_flags ? wanted.flags : 0));
}

long FuseServer::read_directory(Request& request, bool with_entries)
{
    const auto& wanted = request.as<struct ::lkl_fuse_read_in>();
    DIR* const directory = reinterpret_cast<DIR*>(wanted.fh);
    ::seekdir(directory, static_cast<long>(wanted.offset));
    const size_t room = std::min(wanted.size, most_fuse_data);
    // NOLINTNEXTLINE(concurrency-mt-unsafe): each directory is one thread's at a time
    while (const dirent* const found = ::readdir(directory)) {
        const std::string_view name = found->d_name;
        const size_t before = request.used;
        const size_t needed =
            LKL_FUSE_DIRENT_ALIGN(sizeof(struct ::lkl_fuse_dirent) + name.size()) +
            (with_entries ? sizeof(struct ::lkl_fuse_entry_out) : 0);
        if (before + needed > room)
            break;
        if (with_entries) {
            if (name == "." || name == "..") {
                request.add<struct ::lkl_fuse_entry_out>();
            } else if (look_up(request, found->d_name) < 0) {
                request.used = before;  // it has gone meanwhile
                continue;
            }
        }
        auto& entry = request.add<struct ::lkl_fuse_dirent>();
        entry.ino = found->d_ino;
        entry.off = static_cast<uint64_t>(::telldir(directory));
        entry.namelen = static_cast<uint32_t>(name.size());
        entry.type = found->d_type;
        std::memset(entry.name, 0, LKL_FUSE_REC_ALIGN(name.size()));
        std::memcpy(entry.name, name.data(), name.size());
        request.used = before + needed;
    }
    return static_cast<long>(request.used);
}

long FuseServer::count_space(Request& request)
{
    struct ::statvfs found {};
    if (::fstatvfs(descriptor(LKL_FUSE_ROOT_ID), &found) != 0)
        return -errno;
    auto& answer = request.add<struct ::lkl_fuse_statfs_out>();
    answer.st.blocks = found.f_blocks;
    answer.st.bfree = found.f_bfree;
    answer.st.bavail = found.f_bavail;
    answer.st.files = found.f_files;
    answer.st.ffree = found.f_ffree;
    answer.st.bsize = static_cast<uint32_t>(found.f_bsize);
    answer.st.frsize = static_cast<uint32_t>(found.f_frsize);
    answer.st.namelen = static_cast<uint32_t>(found.f_namemax);
    return static_cast<long>(request.used);
}

void FuseServer::forget(uint64_t number, uint64_t lookups)
{
    const std::lock_guard lock(mutex_);
    const auto at = nodes_.find(number);
    if (number == LKL_FUSE_ROOT_ID || at == nodes_.end())
        return;
    at->second.lookups -= std::min(lookups, at->second.lookups);
    if (at->second.lookups != 0)
        return;
    ::close(at->second.fd);
    numbers_.erase(at->second.identity);
    nodes_.erase(at);
}

// -1: there is none, which the call that gets it refuses.
int FuseServer::descriptor(uint64_t number)
{
    const std::lock_guard lock(mutex_);
    const auto at = nodes_.find(number);
    return at == nodes_.end() ? -1 : at->second.fd;
}

}  // namespace lkl::test
