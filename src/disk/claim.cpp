// SPDX-License-Identifier: GPL-2.0-only
#include <disk/claim.hpp>

#include <cstring>
#include <map>
#include <mutex>
#include <tuple>

#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <disk/loop_device.hpp>
#include <disk/origin.hpp>

namespace lkl::disk {

namespace {

// What a file is known by: a device by its number, since it may have several nodes.
using Key = std::tuple<bool, dev_t, ino_t>;

Key key_of(const struct stat& status)
{
    if (S_ISBLK(status.st_mode))
        return {true, status.st_rdev, 0};
    return {false, status.st_dev, status.st_ino};
}

struct flock whole_file(short type)
{
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    return lock;
}

bool set_lock(int fd, short type)
{
    const struct flock lock = whole_file(type);
    return ::fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

// The lock that stands against one of this type, F_UNLCK if none does. F_OFD_GETLK leaves
// out those of fd's own description, F_GETLK does not.
short lock_against(int fd, short type, int command)
{
    struct flock lock = whole_file(type);
    return ::fcntl(fd, command, &lock) == 0 ? lock.l_type : static_cast<short>(F_UNLCK);
}

}  // namespace

// The lock of the process on one file. The host's never stands against another one of the
// same open file description, which several disks of the process may have, and several
// processes; so the process has one, and counts its disks.
class FileLock {
public:
    // `before`: what the description had, which it gets back.
    FileLock(const Key& key, bool exclusive, posix::Descriptor locked, short before)
        : key_(key), exclusive_(exclusive), before_(before), locked_(std::move(locked))
    {
    }
    ~FileLock();
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;

    // For a disk in the file that is open as `fd`. Nothing, and errno: EAGAIN when it is in
    // use, others as of F_OFD_SETLK.
    static std::shared_ptr<FileLock> take(int fd, const Key& key, bool exclusive);

private:
    struct Table;
    static Table& table();

    const Origin origin_;
    const Key key_;
    const bool exclusive_;
    const short before_;
    const posix::Descriptor locked_;
};

// Those of the process. A child of fork() has its parent's entries as well, and what it can
// lock may be locked by the parent through the same description.
struct FileLock::Table {
    struct Entry {
        Origin origin;
        std::weak_ptr<FileLock> lock;
    };

    std::mutex mutex;
    std::map<Key, Entry> entries;

    Table()
    {
        ::pthread_atfork([] { table().mutex.lock(); }, [] { table().mutex.unlock(); },
                         [] { table().mutex.unlock(); });
    }
};

FileLock::Table& FileLock::table()
{
    static Table* const instance = new Table;
    return *instance;
}

std::shared_ptr<FileLock> FileLock::take(int fd, const Key& key, bool exclusive)
{
    std::shared_ptr<FileLock> lock;  // which may end here: after the mutex
    const std::lock_guard guard(table().mutex);
    const auto found = table().entries.find(key);
    const bool known = found != table().entries.end();
    if (known && found->second.origin.is_here()) {
        lock = found->second.lock.lock();
        if (lock && !exclusive && !lock->exclusive_)
            return lock;
        errno = EAGAIN;
        return nullptr;
    }

    const short type = exclusive ? F_WRLCK : F_RDLCK;
    if (known && lock_against(fd, type, F_GETLK) != F_UNLCK) {
        errno = EAGAIN;
        return nullptr;
    }
    short before = lock_against(fd, F_WRLCK, F_GETLK);
    const bool own = before != F_UNLCK && lock_against(fd, F_WRLCK, F_OFD_GETLK) == F_UNLCK;
    // The caller's is not to become a weaker one.
    const bool locks = !own || before != F_WRLCK;
    if (locks && !set_lock(fd, type))
        return nullptr;
    // What other readers have is not the description's; but a child cannot tell.
    if (!own && !known)
        before = F_UNLCK;
    posix::Descriptor locked(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (locked.get() < 0) {
        const int error = errno;
        if (locks)
            set_lock(fd, before);
        errno = error;
        return nullptr;
    }
    lock = std::make_shared<FileLock>(key, exclusive, std::move(locked), before);
    table().entries.insert_or_assign(key, Table::Entry{{}, lock});
    return lock;
}

FileLock::~FileLock()
{
    if (!origin_.is_here())
        return;
    const std::lock_guard guard(table().mutex);
    set_lock(locked_.get(), before_);
    table().entries.erase(key_);
}

namespace {

Result<std::shared_ptr<FileLock>> lock_file(int fd, const struct stat& status,
                                            const std::string& name, const FileDiskOptions& options)
{
    const bool exclusive = options.lock == DiskLock::exclusive ||
                           (options.lock == DiskLock::automatic && !options.read_only);
    if (exclusive && S_ISREG(status.st_mode)) {
        if (const std::string device = loop_device_of(status); !device.empty())
            return Error{EBUSY,
                         name + ": is attached to " + device + " of the host: detach it first"};
    }
    std::shared_ptr<FileLock> lock;
    const auto attempt = [&] {
        lock = FileLock::take(fd, key_of(status), exclusive);
        return lock ? 0 : -1;
    };
    if (patiently(attempt) == 0)
        return lock;
    switch (const int error = errno) {
    case EAGAIN:
    case EACCES: {
        const short other = lock_against(fd, exclusive ? F_WRLCK : F_RDLCK, F_GETLK);
        return Error{EBUSY, name + ": the image is in use" +
                                (other == F_WRLCK   ? " by a writer"
                                 : other == F_RDLCK ? " by a reader"
                                                    : "")};
    }
    case EMFILE:
        return Error{error, name + ": no descriptor is left for the lock"};
    default: {
        const bool missing =
            error == ENOLCK || error == EOPNOTSUPP || error == ENOSYS || error == EINVAL;
        if (missing && options.lock == DiskLock::automatic)
            return lock;
        return Error{ENOLCK, name + ": the file system of the image has no locks"};
    }
    }
}

// Whether the caller has opened the device with O_EXCL, asked when somebody has. The host
// tells those who may change the size of its blocks: a size that cannot be is wrong only for
// who has the device, or could have it.
bool is_claimed_by(int fd)
{
    int no_size = 1;
    return ::ioctl(fd, BLKBSZSET, &no_size) != 0 && errno == EINVAL;
}

Result<posix::Descriptor> claim_device(int fd, const std::string& name,
                                       const FileDiskOptions& options)
{
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    constexpr int callers_own = -2;
    posix::Descriptor device(patiently([&] {
        const int opened = ::open(path.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC);
        if (opened >= 0 || errno != EBUSY)
            return opened;
        const bool own = is_claimed_by(fd);
        errno = EBUSY;
        return own ? callers_own : -1;
    }));
    if (device.get() >= 0 || device.get() == callers_own)
        return device;
    const int error = errno;
    if (error == EBUSY)
        return device_in_use(name);
    if (options.lock == DiskLock::exclusive)
        return Error{ENOLCK, name + ": the device cannot be claimed by its descriptor: " +
                                 std::strerror(error)};
    return device;
}

}  // namespace

bool wants_device_alone(const FileDiskOptions& options)
{
    return !options.read_only &&
           (options.lock == DiskLock::automatic || options.lock == DiskLock::exclusive);
}

Error device_in_use(const std::string& name)
{
    return {EBUSY, name + ": the device is in use: mounted, or claimed by another program"};
}

Result<Claim> claim(int fd, const struct stat& status, const std::string& name,
                    const FileDiskOptions& options)
{
    if (options.lock == DiskLock::none)
        return Claim{};
    auto lock = lock_file(fd, status, name, options);
    if (!lock)
        return std::move(lock).error();
    if (!S_ISBLK(status.st_mode) || !wants_device_alone(options) || options.claimed)
        return Claim(*std::move(lock), posix::Descriptor());
    auto device = claim_device(fd, name, options);
    if (!device)
        return std::move(device).error();
    return Claim(*std::move(lock), *std::move(device));
}

}  // namespace lkl::disk
