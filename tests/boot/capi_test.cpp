// SPDX-License-Identifier: GPL-2.0-only
// The C interface with a running kernel: start and stop, files, settings.
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <lkl.h>

namespace {

class Capi : public testing::Test {
protected:
    void SetUp() override
    {
        ASSERT_EQ(lkl_init(&lkl_host_ops), 0);
        ASSERT_EQ(lkl_start_kernel("mem=%dM", 64), 0) << lkl_error_message();
    }
    void TearDown() override
    {
        if (lkl_is_running()) {
            EXPECT_EQ(lkl_sys_halt(), 0) << lkl_error_message();
        }
        lkl_cleanup();
    }

    static unsigned open(const char* path, int flags, int mode = 0)
    {
        const long fd = lkl_sys_open(path, flags, mode);
        EXPECT_GE(fd, 0) << path << ": " << lkl_strerror(static_cast<int>(fd));
        return static_cast<unsigned>(fd);
    }
    static void write_file(const char* path, const std::string& text)
    {
        const unsigned fd = open(path, LKL_O_WRONLY | LKL_O_CREAT | LKL_O_TRUNC, 0644);
        EXPECT_EQ(lkl_sys_write(fd, text.data(), text.size()), static_cast<long>(text.size()));
        EXPECT_EQ(lkl_sys_close(fd), 0);
    }
    static std::string read_file(const char* path)
    {
        const unsigned fd = open(path, LKL_O_RDONLY);
        std::string text;
        std::array<char, 4096> buffer;
        long n;
        while ((n = lkl_sys_read(fd, buffer.data(), buffer.size())) > 0)
            text.append(buffer.data(), static_cast<size_t>(n));
        EXPECT_EQ(n, 0) << path;
        EXPECT_EQ(lkl_sys_close(fd), 0);
        return text;
    }
};

TEST(CapiLife, StartsHaltsAndStartsAgain)
{
    for (int round = 0; round < 5; round++) {
        ASSERT_EQ(lkl_init(&lkl_host_ops), 0);
        EXPECT_EQ(lkl_is_running(), 0);
        ASSERT_EQ(lkl_start_kernel("mem=64M"), 0) << lkl_error_message();
        EXPECT_EQ(lkl_is_running(), 1);
        EXPECT_EQ(lkl_start_kernel("mem=64M"), -LKL_EBUSY);
        EXPECT_EQ(lkl_init(&lkl_host_ops), -LKL_EBUSY);
        EXPECT_EQ(lkl_sys_getpid(), 1);
        // Each is a new kernel: nothing of the one before is there.
        EXPECT_EQ(lkl_sys_mkdir("/once", 0755), 0);
        EXPECT_EQ(lkl_sys_mkdir("/once", 0755), -LKL_EEXIST);

        EXPECT_EQ(lkl_sys_halt(), 0) << lkl_error_message();
        EXPECT_EQ(lkl_is_running(), 0);
        EXPECT_EQ(lkl_sys_getpid(), -LKL_ESHUTDOWN);
        EXPECT_EQ(lkl_sys_halt(), -LKL_ESHUTDOWN);
        EXPECT_EQ(lkl_start_kernel("mem=64M"), -LKL_EBUSY) << "before lkl_cleanup()";
        lkl_cleanup();
        EXPECT_EQ(lkl_sys_getpid(), -LKL_ESHUTDOWN);
    }
}

TEST(CapiLife, CleanupHaltsWhatStillRuns)
{
    ASSERT_EQ(lkl_init(&lkl_host_ops), 0);
    ASSERT_EQ(lkl_start_kernel("mem=64M"), 0) << lkl_error_message();
    lkl_cleanup();
    EXPECT_EQ(lkl_is_running(), 0);
    EXPECT_EQ(lkl_sys_getpid(), -LKL_ESHUTDOWN);
}

TEST(CapiLife, TheLogGoesToThePrintFunction)
{
    static std::mutex mutex;
    static std::string log;
    lkl_host_operations ops{};
    ops.print = [](const char* text, int length) {
        const std::lock_guard lock(mutex);
        log.append(text, static_cast<size_t>(length));
    };
    ASSERT_EQ(lkl_init(&ops), 0);
    ASSERT_EQ(lkl_start_kernel("mem=64M capi.word=heard"), 0) << lkl_error_message();
    EXPECT_EQ(lkl_sys_halt(), 0);
    lkl_cleanup();
    const std::lock_guard lock(mutex);
    EXPECT_NE(log.find("Linux version"), std::string::npos) << log;
    EXPECT_NE(log.find("capi.word=heard"), std::string::npos) << log;
    EXPECT_EQ(log.find("mem=64M"), std::string::npos) << log;
}

TEST(CapiLife, ALongCommandLineIsRefusedOrWhole)
{
    const std::string filler(3000, 'x');
    ASSERT_EQ(lkl_init(&lkl_host_ops), 0);
    EXPECT_EQ(lkl_start_kernel("filler=%s%s", filler.c_str(), filler.c_str()), -LKL_E2BIG);
    EXPECT_NE(std::strstr(lkl_error_message(), "3072"), nullptr) << lkl_error_message();
    ASSERT_EQ(lkl_start_kernel("filler=%s last=word", filler.c_str()), 0) << lkl_error_message();
    ASSERT_EQ(lkl_mount_fs("proc"), 0);
    const long fd = lkl_sys_open("/proc/cmdline", LKL_O_RDONLY, 0);
    ASSERT_GE(fd, 0);
    std::array<char, 8192> text{};
    const long n = lkl_sys_read(static_cast<unsigned>(fd), text.data(), text.size());
    ASSERT_GT(n, 3000);
    EXPECT_NE(std::string(text.data(), static_cast<size_t>(n)).find(" last=word"),
              std::string::npos);
    EXPECT_EQ(lkl_sys_halt(), 0);
    lkl_cleanup();
}

TEST(CapiLife, MemoryIsWhatTheCommandLineSays)
{
    const auto total = [](unsigned mebibytes) {
        EXPECT_EQ(lkl_init(&lkl_host_ops), 0);
        EXPECT_EQ(lkl_start_kernel("mem=%uM quiet", mebibytes), 0) << lkl_error_message();
        struct lkl_sysinfo info {};
        EXPECT_EQ(lkl_sys_sysinfo(&info), 0);
        EXPECT_EQ(lkl_sys_halt(), 0);
        lkl_cleanup();
        return info.totalram * info.mem_unit >> 20;
    };
    // A kernel that checks itself has a share for that.
    const unsigned long less = total(32);
    const unsigned long more = total(128);
    EXPECT_GE(less, 32ul / 2);
    EXPECT_GT(more, less + 90);
    EXPECT_LE(more, less + 128 - 32);
}

// A page that nobody may touch.
class Forbidden {
public:
    Forbidden() : page_(::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
    {
        EXPECT_NE(page_, MAP_FAILED);
    }
    ~Forbidden() { ::munmap(page_, size); }
    Forbidden(const Forbidden&) = delete;
    Forbidden& operator=(const Forbidden&) = delete;

    char* get() const { return static_cast<char*>(page_); }

private:
    static constexpr size_t size = 4096;
    void* page_;
};

TEST(CapiLife, BadPointersAreErrorsForThoseWhoAsk)
{
    const Forbidden forbidden;
    struct sigaction before {};
    ASSERT_EQ(::sigaction(SIGSEGV, nullptr, &before), 0);
    const auto handler = [] {
        struct sigaction now {};
        EXPECT_EQ(::sigaction(SIGSEGV, nullptr, &now), 0);
        return now.sa_sigaction;
    };

    EXPECT_EQ(lkl_set_fault_handler(1), -LKL_EINVAL) << "before lkl_init()";
    ASSERT_EQ(lkl_init(&lkl_host_ops), 0);
    ASSERT_EQ(lkl_set_fault_handler(1), 0);
    ASSERT_EQ(lkl_start_kernel("mem=64M"), 0) << lkl_error_message();
    EXPECT_EQ(lkl_set_fault_handler(0), -LKL_EBUSY);
    EXPECT_EQ(lkl_sys_open(forbidden.get(), LKL_O_RDONLY, 0), -LKL_EFAULT);
    const auto root = static_cast<unsigned>(lkl_sys_open("/", LKL_O_RDONLY, 0));
    EXPECT_EQ(lkl_sys_getdents64(
                  root, reinterpret_cast<struct lkl_linux_dirent64*>(forbidden.get()), 4096),
              -LKL_EFAULT);
    EXPECT_EQ(lkl_sys_getpid(), 1);
    EXPECT_EQ(lkl_is_running(), 1);
    EXPECT_EQ(lkl_sys_halt(), 0);
    lkl_cleanup();
    EXPECT_EQ(handler(), before.sa_sigaction);

    // Each kernel is asked for anew, and the last word counts.
    for (const bool changed_mind : {false, true}) {
        ASSERT_EQ(lkl_init(&lkl_host_ops), 0);
        if (changed_mind) {
            EXPECT_EQ(lkl_set_fault_handler(1), 0);
            EXPECT_EQ(lkl_set_fault_handler(0), 0);
        }
        ASSERT_EQ(lkl_start_kernel("mem=64M"), 0) << lkl_error_message();
        EXPECT_EQ(handler(), before.sa_sigaction);
        lkl_cleanup();
    }
}

TEST_F(Capi, HaltEndsCallsInFlight)
{
    int fds[2];
    ASSERT_EQ(lkl_sys_pipe(fds), 0);
    std::atomic<bool> before{false};
    long result = 0;
    std::thread reader([&] {
        lkl_sys_gettid();  // its task is there
        before = true;
        char byte;
        result = lkl_sys_read(static_cast<unsigned>(fds[0]), &byte, 1);
    });
    while (!before)
        std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(lkl_sys_halt(), 0);
    reader.join();
    EXPECT_EQ(result, -LKL_ESHUTDOWN);
}

// The end of the kernel is not a matter of the user that the thread has become.
TEST_F(Capi, AThreadOfAnyUserHalts)
{
    ASSERT_EQ(lkl_sys_setresuid(1000, 1000, 1000), 0);
    EXPECT_EQ(lkl_sys_getuid(), 1000);
    EXPECT_EQ(lkl_sys_reboot(static_cast<int>(LKL_LINUX_REBOOT_MAGIC1), LKL_LINUX_REBOOT_MAGIC2,
                             LKL_LINUX_REBOOT_CMD_POWER_OFF, nullptr),
              -LKL_EPERM);
    EXPECT_EQ(lkl_is_running(), 1);
    EXPECT_EQ(lkl_sys_halt(), 0) << lkl_error_message();
    EXPECT_EQ(lkl_is_running(), 0);
    EXPECT_EQ(lkl_sys_getuid(), -LKL_ESHUTDOWN);
}

TEST_F(Capi, ARebootEndsTheKernel)
{
    EXPECT_EQ(lkl_sys_reboot(static_cast<int>(LKL_LINUX_REBOOT_MAGIC1), LKL_LINUX_REBOOT_MAGIC2,
                             LKL_LINUX_REBOOT_CMD_POWER_OFF, nullptr),
              -LKL_ESHUTDOWN);
    EXPECT_EQ(lkl_sys_getpid(), -LKL_ESHUTDOWN);
    EXPECT_EQ(lkl_is_running(), 0);
    EXPECT_EQ(lkl_sys_halt(), 0) << lkl_error_message();
    EXPECT_EQ(lkl_sys_halt(), -LKL_ESHUTDOWN);
}

TEST_F(Capi, FilesKeepWhatIsWritten)
{
    const unsigned fd = open("/file", LKL_O_RDWR | LKL_O_CREAT | LKL_O_EXCL, 0640);
    EXPECT_EQ(lkl_sys_write(fd, "hello, world", 12), 12);
    EXPECT_EQ(lkl_sys_lseek(fd, 7, LKL_SEEK_SET), 7);
    char text[16] = "";
    EXPECT_EQ(lkl_sys_read(fd, text, sizeof(text)), 5);
    EXPECT_STREQ(text, "world");
    EXPECT_EQ(lkl_sys_pread64(fd, text, 5, 0), 5);
    EXPECT_EQ(std::memcmp(text, "hello", 5), 0);
    EXPECT_EQ(lkl_sys_pwrite64(fd, "J", 1, 0), 1);
    EXPECT_EQ(lkl_sys_ftruncate(fd, 5), 0);

    struct lkl_stat status;
    EXPECT_EQ(lkl_sys_fstat(fd, &status), 0);
    EXPECT_EQ(status.st_size, 5);
    EXPECT_EQ(status.st_mode, unsigned{LKL_S_IFREG | 0640});
    struct lkl_stat by_name;
    EXPECT_EQ(lkl_sys_stat("/file", &by_name), 0);
    EXPECT_EQ(by_name.st_ino, status.st_ino);
    EXPECT_LE(std::abs(status.lkl_st_mtime - std::time(nullptr)), 20);
    EXPECT_EQ(lkl_sys_close(fd), 0);
    EXPECT_EQ(read_file("/file"), "Jello");
    EXPECT_EQ(lkl_sys_unlink("/file"), 0);
    EXPECT_EQ(lkl_sys_stat("/file", &status), -LKL_ENOENT);
}

TEST_F(Capi, ErrorsAreTheKernels)
{
    char byte = 0;
    EXPECT_EQ(lkl_sys_open("/none", LKL_O_RDONLY, 0), -LKL_ENOENT);
    EXPECT_EQ(lkl_sys_open("/", LKL_O_WRONLY, 0), -LKL_EISDIR);
    EXPECT_EQ(lkl_sys_read(1000, &byte, 1), -LKL_EBADF);
    EXPECT_EQ(lkl_sys_close(1000), -LKL_EBADF);
    write_file("/file", "x");
    EXPECT_EQ(lkl_sys_mkdir("/file/below", 0755), -LKL_ENOTDIR);
    EXPECT_EQ(lkl_sys_mount("none", "/", "nosuchfs", 0, nullptr), -LKL_ENODEV);
    EXPECT_EQ(lkl_sys_socket(LKL_AF_MAX, LKL_SOCK_STREAM, 0), -LKL_EAFNOSUPPORT);
    EXPECT_EQ(lkl_sys_fork(), -LKL_ENOSYS);
    EXPECT_EQ(lkl_sys_vfork(), -LKL_ENOSYS);
    EXPECT_EQ(lkl_sys_execve("/init", nullptr, nullptr), -LKL_ENOSYS);
}

TEST_F(Capi, LegacyCallsOnNames)
{
    struct lkl_stat status;
    const unsigned made = static_cast<unsigned>(lkl_sys_creat("/a", 0600));
    EXPECT_EQ(lkl_sys_close(made), 0);
    EXPECT_EQ(lkl_sys_mkdir("/dir", 0700), 0);
    EXPECT_EQ(lkl_sys_link("/a", "/dir/b"), 0);
    EXPECT_EQ(lkl_sys_symlink("dir/b", "/c"), 0);
    char target[32] = "";
    EXPECT_EQ(lkl_sys_readlink("/c", target, sizeof(target)), 5);
    EXPECT_STREQ(target, "dir/b");
    EXPECT_EQ(lkl_sys_readlink("/c", target, 3), 3);
    EXPECT_EQ(lkl_sys_lstat("/c", &status), 0);
    EXPECT_TRUE(LKL_S_ISLNK(status.st_mode));
    EXPECT_EQ(lkl_sys_stat("/c", &status), 0);
    EXPECT_TRUE(LKL_S_ISREG(status.st_mode));
    EXPECT_EQ(status.st_nlink, 2u);
    const unsigned dir = open("/dir", LKL_O_RDONLY | LKL_O_DIRECTORY);
    EXPECT_EQ(lkl_sys_fstatat(static_cast<int>(dir), "b", &status, 0), 0);
    EXPECT_EQ(status.st_nlink, 2u);
    EXPECT_EQ(lkl_sys_close(dir), 0);

    EXPECT_EQ(lkl_sys_chmod("/a", 04751), 0);
    EXPECT_EQ(lkl_sys_chown("/c", 12, 34), 0);
    EXPECT_EQ(lkl_sys_lchown("/c", 56, 78), 0);
    EXPECT_EQ(lkl_sys_stat("/a", &status), 0);
    // Giving a file away takes the set-user-id bit from it.
    EXPECT_EQ(status.st_mode, unsigned{LKL_S_IFREG | 0751});
    EXPECT_EQ(status.st_uid, 12u);
    EXPECT_EQ(status.st_gid, 34u);
    EXPECT_EQ(lkl_sys_lstat("/c", &status), 0);
    EXPECT_EQ(status.st_uid, 56u);
    EXPECT_EQ(status.st_gid, 78u);
    EXPECT_EQ(lkl_sys_access("/a", LKL_R_OK | LKL_X_OK), 0);
    EXPECT_EQ(lkl_sys_access("/b", LKL_F_OK), -LKL_ENOENT);

    const struct lkl_utimbuf seconds = {1000, 2000};
    EXPECT_EQ(lkl_sys_utime("/a", &seconds), 0);
    EXPECT_EQ(lkl_sys_stat("/a", &status), 0);
    EXPECT_EQ(status.lkl_st_atime, 1000);
    EXPECT_EQ(status.lkl_st_mtime, 2000);
    const struct lkl_timeval times[2] = {{3000, 5}, {4000, 6}};
    EXPECT_EQ(lkl_sys_utimes("/a", times), 0);
    EXPECT_EQ(lkl_sys_stat("/a", &status), 0);
    EXPECT_EQ(status.lkl_st_mtime, 4000);
    EXPECT_EQ(status.st_mtime_nsec, 6000u);
    const struct lkl_timeval bad[2] = {{0, 1000000}, {0, 0}};
    EXPECT_EQ(lkl_sys_utimes("/a", bad), -LKL_EINVAL);

    EXPECT_EQ(lkl_sys_mknod("/null", LKL_S_IFCHR | 0600, 0x103), 0);
    EXPECT_EQ(lkl_sys_stat("/null", &status), 0);
    EXPECT_EQ(status.st_rdev, 0x103u);
    EXPECT_EQ(lkl_sys_rename("/dir", "/dir2"), 0);
    EXPECT_EQ(lkl_sys_rmdir("/dir2"), -LKL_ENOTEMPTY);
    EXPECT_EQ(lkl_sys_unlink("/dir2/b"), 0);
    EXPECT_EQ(lkl_sys_unlink("/dir2"), -LKL_EISDIR);
    EXPECT_EQ(lkl_sys_rmdir("/dir2"), 0);
}

TEST_F(Capi, LegacyCallsOnDescriptors)
{
    int fds[2];
    ASSERT_EQ(lkl_sys_pipe(fds), 0);
    const auto in = static_cast<unsigned>(fds[0]);
    const auto out = static_cast<unsigned>(fds[1]);
    struct lkl_pollfd poll = {fds[0], LKL_POLLIN, 0};
    EXPECT_EQ(lkl_sys_poll(&poll, 1, 0), 0);
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(lkl_sys_poll(&poll, 1, 30), 0);
    EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(30));

    lkl_fd_set set{};
    set.fds_bits[0] = 1ul << fds[0];
    struct lkl_timeval timeout = {0, 20000};
    EXPECT_EQ(lkl_sys_select(fds[0] + 1, &set, nullptr, nullptr, &timeout), 0);
    EXPECT_EQ(set.fds_bits[0], 0ul);
    EXPECT_EQ(timeout.tv_sec, 0);
    EXPECT_EQ(timeout.tv_usec, 0);

    EXPECT_EQ(lkl_sys_write(out, "x", 1), 1);
    EXPECT_EQ(lkl_sys_poll(&poll, 1, -1), 1);
    EXPECT_EQ(poll.revents, LKL_POLLIN);
    set.fds_bits[0] = 1ul << fds[0];
    timeout = {100, 0};
    EXPECT_EQ(lkl_sys_select(fds[0] + 1, &set, nullptr, nullptr, &timeout), 1);
    EXPECT_EQ(set.fds_bits[0], 1ul << fds[0]);
    EXPECT_GE(timeout.tv_sec, 80);
    timeout = {-1, 0};
    EXPECT_EQ(lkl_sys_select(0, nullptr, nullptr, nullptr, &timeout), -LKL_EINVAL);

    EXPECT_EQ(lkl_sys_epoll_create(0), -LKL_EINVAL);
    const auto epoll = static_cast<int>(lkl_sys_epoll_create(1));
    struct lkl_epoll_event event {};
    event.events = LKL_EPOLLIN;
    event.data = 42;
    EXPECT_EQ(lkl_sys_epoll_ctl(epoll, LKL_EPOLL_CTL_ADD, fds[0], &event), 0);
    event = {};
    EXPECT_EQ(lkl_sys_epoll_wait(epoll, &event, 1, -1), 1);
    EXPECT_EQ(event.data, 42u);

    EXPECT_EQ(lkl_sys_dup2(fds[0], fds[0]), fds[0]);
    EXPECT_EQ(lkl_sys_dup2(900, 900), -LKL_EBADF);
    EXPECT_EQ(lkl_sys_dup2(fds[0], 77), 77);
    char byte = 0;
    EXPECT_EQ(lkl_sys_read(77, &byte, 1), 1);
    EXPECT_EQ(byte, 'x');
    EXPECT_EQ(lkl_sys_close(in), 0);
    EXPECT_EQ(lkl_sys_close(77), 0);

    const auto events = static_cast<unsigned>(lkl_sys_eventfd(3));
    uint64_t count = 0;
    EXPECT_EQ(lkl_sys_read(events, &count, sizeof(count)), 8);
    EXPECT_EQ(count, 3u);

    const auto notify = static_cast<int>(lkl_sys_inotify_init());
    EXPECT_GE(lkl_sys_inotify_add_watch(notify, "/", LKL_IN_CREATE), 0);
    EXPECT_EQ(lkl_sys_mkdir("/seen", 0755), 0);
    alignas(8) char buffer[512];
    const long size = lkl_sys_read(static_cast<unsigned>(notify), buffer, sizeof(buffer));
    ASSERT_GE(size, static_cast<long>(sizeof(struct lkl_inotify_event)));
    EXPECT_STREQ(buffer + sizeof(struct lkl_inotify_event), "seen");

    int pair[2];
    ASSERT_EQ(lkl_sys_socketpair(LKL_AF_UNIX, LKL_SOCK_STREAM, 0, pair), 0);
    EXPECT_EQ(lkl_sys_send(pair[0], "data", 4, 0), 4);
    EXPECT_EQ(lkl_sys_recv(pair[1], buffer, sizeof(buffer), 0), 4);
    EXPECT_EQ(std::memcmp(buffer, "data", 4), 0);
}

TEST_F(Capi, MapsItsOwnObjects)
{
    constexpr size_t size = 64 << 10;
    const auto failed = [](const void* address) {
        return reinterpret_cast<unsigned long>(address) > -4096ul;
    };
    write_file("/file", std::string(size, 'f'));
    const unsigned fd = open("/file", LKL_O_RDWR);
    auto* const shared = static_cast<char*>(lkl_sys_mmap(
        nullptr, size, LKL_PROT_READ | LKL_PROT_WRITE, LKL_MAP_SHARED, static_cast<int>(fd), 0));
    ASSERT_FALSE(failed(shared)) << lkl_strerror(static_cast<int>(reinterpret_cast<long>(shared)));
    EXPECT_EQ(shared[size - 1], 'f');
    shared[4096] = 'm';
    char byte = 0;
    EXPECT_EQ(lkl_sys_pread64(fd, &byte, 1, 4096), 1);
    EXPECT_EQ(byte, 'm');
    EXPECT_EQ(lkl_sys_munmap(reinterpret_cast<unsigned long>(shared), size), 0);
    EXPECT_EQ(lkl_sys_close(fd), 0);

    auto* const own = static_cast<char*>(lkl_sys_mmap(nullptr, size, LKL_PROT_READ | LKL_PROT_WRITE,
                                                      LKL_MAP_PRIVATE | LKL_MAP_ANONYMOUS, -1, 0));
    ASSERT_FALSE(failed(own));
    EXPECT_EQ(own[0] | own[size - 1], 0);
    own[size - 1] = 1;
    EXPECT_EQ(lkl_sys_munmap(reinterpret_cast<unsigned long>(own), size), 0);

    EXPECT_EQ(reinterpret_cast<long>(
                  lkl_sys_mmap(nullptr, size, LKL_PROT_READ, LKL_MAP_PRIVATE, 1000, 0)),
              -LKL_EBADF);
    EXPECT_EQ(reinterpret_cast<long>(lkl_sys_mmap(nullptr, size, LKL_PROT_READ,
                                                  LKL_MAP_PRIVATE | LKL_MAP_ANONYMOUS, -1, 1)),
              -LKL_EINVAL);
}

TEST_F(Capi, LegacyCallsOnTime)
{
    lkl_time_t now = 0;
    EXPECT_LE(std::abs(lkl_sys_time(&now) - std::time(nullptr)), 20);
    EXPECT_LE(std::abs(now - std::time(nullptr)), 20);
    EXPECT_EQ(lkl_sys_alarm(100), 0);
    const long left = lkl_sys_alarm(0);
    EXPECT_TRUE(left > 80 && left <= 100) << left;
    EXPECT_EQ(lkl_sys_alarm(0), 0);
    EXPECT_EQ(lkl_sys_getpgrp(), lkl_sys_getpgid(0));
}

TEST_F(Capi, MountsFileSystemsWithoutADisk)
{
    EXPECT_EQ(lkl_mount_fs("proc"), 0) << lkl_error_message();
    EXPECT_EQ(lkl_mount_fs("proc"), 1);
    EXPECT_NE(read_file("/proc/version").find("Linux version"), std::string::npos);
    EXPECT_EQ(lkl_mount_fs("sysfs"), 0) << lkl_error_message();
    EXPECT_EQ(lkl_mount_fs("nosuchfs"), -LKL_ENODEV);

    struct lkl_statfs status;
    EXPECT_EQ(lkl_sys_statfs("/proc", &status), 0);
    EXPECT_EQ(status.f_type, LKL_PROC_SUPER_MAGIC);
    const unsigned busy = open("/proc/version", LKL_O_RDONLY);
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(lkl_umount_timeout("/proc", 0, 40), -LKL_EBUSY);
    EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(40));
    std::thread closer([busy] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        lkl_sys_close(busy);
    });
    EXPECT_EQ(lkl_umount_timeout("/proc", 0, -1), 0);
    closer.join();
    EXPECT_EQ(lkl_umount_timeout("/proc", 0, 0), -LKL_EINVAL);
}

TEST_F(Capi, Settings)
{
    EXPECT_EQ(lkl_sysctl("kernel.hostname", "by-dots"), 0) << lkl_error_message();
    struct lkl_new_utsname name;
    EXPECT_EQ(lkl_sys_uname(&name), 0);
    EXPECT_STREQ(name.nodename, "by-dots");
    EXPECT_EQ(lkl_sysctl("kernel/hostname", "by.slashes"), 0);
    EXPECT_EQ(lkl_sys_uname(&name), 0);
    EXPECT_STREQ(name.nodename, "by.slashes");

    EXPECT_EQ(lkl_sysctl("kernel.ostype", "other"), -LKL_EACCES);
    EXPECT_EQ(lkl_sysctl("vm.swappiness", "text"), -LKL_EINVAL);
    EXPECT_EQ(lkl_sysctl("kernel.nosuchname", "1"), -LKL_ENOENT);
    EXPECT_NE(std::string(lkl_error_message()).find("kernel.nosuchname"), std::string::npos);
    // The others are set all the same.
    EXPECT_EQ(lkl_sysctl_parse_write("kernel.nosuchname=1;kernel.hostname=second;"
                                     "kernel.domainname|third"),
              -LKL_ENOENT);
    EXPECT_EQ(lkl_sys_uname(&name), 0);
    EXPECT_STREQ(name.nodename, "second");
    EXPECT_STREQ(name.domainname, "third");
    EXPECT_EQ(lkl_sysctl_parse_write("kernel.hostname=a;vm.swappiness=7"), 0)
        << lkl_error_message();
    EXPECT_EQ(read_file("/proc/sys/vm/swappiness"), "7\n");
}

TEST_F(Capi, TheNumberOfDescriptorsIsLimited)
{
    EXPECT_EQ(lkl_set_fd_limit(16), 0);
    long last = 0;
    int opened = 0;
    while ((last = lkl_sys_open("/", LKL_O_RDONLY, 0)) >= 0 && opened < 100)
        opened++;
    EXPECT_EQ(last, -LKL_EMFILE);
    EXPECT_LE(opened, 16);
    EXPECT_EQ(lkl_set_fd_limit(1048577), -LKL_EPERM);
}

TEST_F(Capi, AForkedChildHasNoKernelAndMayStartOne)
{
    const char* const sanitize = std::getenv("LKL_SANITIZE");
    if (sanitize && std::strstr(sanitize, "thread"))
        GTEST_SKIP() << "ThreadSanitizer ends a child of fork(2) that starts threads";
    EXPECT_EQ(lkl_sys_mkdir("/parent", 0755), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        EXPECT_EQ(lkl_is_running(), 0);
        EXPECT_EQ(lkl_sys_getpid(), -LKL_ECHILD);
        EXPECT_EQ(lkl_sys_halt(), -LKL_ECHILD);
        lkl_cleanup();
        EXPECT_EQ(lkl_init(&lkl_host_ops), 0);
        EXPECT_EQ(lkl_start_kernel("mem=64M"), 0) << lkl_error_message();
        EXPECT_EQ(lkl_sys_getpid(), 1);
        EXPECT_EQ(lkl_sys_rmdir("/parent"), -LKL_ENOENT);
        EXPECT_EQ(lkl_sys_halt(), 0) << lkl_error_message();
        ::_exit(HasFailure() ? 1 : 0);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(lkl_sys_rmdir("/parent"), 0);
}

TEST_F(Capi, DirectoriesListAllEntries)
{
    EXPECT_EQ(lkl_sys_mkdir("/many", 0755), 0);
    std::set<std::string> expected{".", ".."};
    // More than fit into one read of the kernel.
    for (int i = 0; i < 2000; i++) {
        const std::string name = "a-file-with-quite-a-long-name-" + std::to_string(i);
        write_file(("/many/" + name).c_str(), "");
        expected.insert(name);
    }
    int error = 1;
    lkl_dir* const dir = lkl_opendir("/many", &error);
    ASSERT_NE(dir, nullptr);
    EXPECT_EQ(error, 0);
    for (int round = 0; round < 2; round++) {
        std::multiset<std::string> found;
        while (const lkl_linux_dirent64* const entry = lkl_readdir(dir)) {
            found.insert(entry->d_name);
            EXPECT_EQ(entry->d_type, entry->d_name[0] == '.' ? LKL_DT_DIR : LKL_DT_REG);
        }
        EXPECT_EQ(lkl_errdir(dir), 0);
        EXPECT_EQ(found, (std::multiset<std::string>(expected.begin(), expected.end())));
        lkl_rewinddir(dir);
    }
    struct lkl_stat status;
    EXPECT_EQ(lkl_sys_fstat(static_cast<unsigned>(lkl_dirfd(dir)), &status), 0);
    EXPECT_TRUE(LKL_S_ISDIR(status.st_mode));
    EXPECT_EQ(lkl_closedir(dir), 0);
}

TEST_F(Capi, DirectoriesReportErrors)
{
    int error = 0;
    EXPECT_EQ(lkl_opendir("/none", &error), nullptr);
    EXPECT_EQ(error, -LKL_ENOENT);
    write_file("/file", "");
    EXPECT_EQ(lkl_opendir("/file", &error), nullptr);
    EXPECT_EQ(error, -LKL_ENOTDIR);
    const unsigned file = open("/file", LKL_O_RDONLY);
    EXPECT_EQ(lkl_fdopendir(static_cast<int>(file), &error), nullptr);
    EXPECT_EQ(error, -LKL_ENOTDIR);
    EXPECT_EQ(lkl_fdopendir(1000, &error), nullptr);
    EXPECT_EQ(error, -LKL_EBADF);

    const unsigned fd = open("/", LKL_O_RDONLY | LKL_O_DIRECTORY);
    lkl_dir* const dir = lkl_fdopendir(static_cast<int>(fd), &error);
    ASSERT_NE(dir, nullptr);
    // Somebody closes the descriptor behind the directory's back.
    EXPECT_EQ(lkl_sys_close(fd), 0);
    EXPECT_EQ(lkl_readdir(dir), nullptr);
    EXPECT_EQ(lkl_errdir(dir), -LKL_EBADF);
    EXPECT_EQ(lkl_closedir(dir), -LKL_EBADF);
}

}  // namespace
