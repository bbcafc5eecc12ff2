// SPDX-License-Identifier: GPL-2.0-only
// Network file systems whose server or network goes away, and kernels that end while they are
// mounted: each call ends, or goes on when both are there again.
#include <atomic>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include <sys/mount.h>

#include "common/network_filesystem.hpp"

namespace lkl::test {
namespace {

// What a call may return of which nobody knows whether the server has done it.
bool is_of_a_lost_server(long result)
{
    // EFAULT: of Linux' 9p client, which reads an answer of 0 bytes when the server closes the
    // connection. EAGAIN: of its SMB client.
    for (const int error : {EIO, ETIMEDOUT, ECONNRESET, ECONNABORTED, ECONNREFUSED, EHOSTDOWN,
                            EPIPE, ENOTCONN, EFAULT, EAGAIN}) {
        if (result == -error)
            return true;
    }
    return false;
}

class NetworkFilesystemFailures : public NetworkFilesystem {
protected:
    static constexpr size_t piece = 64 << 10;

    // Writes and syncs piece by piece until that is enough, or something fails: its result.
    long write_on(const std::string& name)
    {
        const std::string data = pattern(7, piece);
        const long fd = our_files.open(at_ours(name), O_WRONLY | O_CREAT);
        if (fd < 0)
            return fd;
        long result = 0;
        while (!enough) {
            result = our_files.pwrite(fd, data.data(), piece, written);
            if (result >= 0)
                result = result == static_cast<long>(piece) ? our_files.fsync(fd) : -EIO;
            if (result < 0)
                break;
            written += piece;
        }
        const long closed = our_files.close(fd);
        return result < 0 ? result : closed;
    }
    // Waits until so much more has been written.
    void wait_for_writer(size_t more)
    {
        const size_t wanted = written + more;
        for (int i = 0; i < 3000 && written < wanted; ++i)
            std::this_thread::sleep_for(10ms);
        EXPECT_GE(written, wanted);
    }
    // The writer goes on after what `interrupt` does, and nothing is lost.
    template <typename Interrupt, typename Resume>
    void expect_nothing_is_lost(Interrupt interrupt, Resume resume)
    {
        ASSERT_EQ(mount(), 0);
        long result = 0;
        Crew crew;
        crew.add([&] { result = write_on("file"); });
        wait_for_writer(16 * piece);
        interrupt();
        std::this_thread::sleep_for(500ms);
        const size_t before = written;
        std::this_thread::sleep_for(500ms);
        EXPECT_EQ(written, before);
        resume();
        wait_for_writer(16 * piece);
        enough = true;
        crew.join();
        EXPECT_EQ(result, 0);
        EXPECT_EQ(unmount(), 0);
        expect_written("file");
        EXPECT_TRUE(kernel.halt());
    }
    void expect_written(const std::string& name)
    {
        std::string found;
        EXPECT_EQ(host_files.read_file(at_host(name), found), 0);
        ASSERT_EQ(found.size(), written);
        const std::string data = pattern(7, piece);
        for (size_t at = 0; at < written; at += piece)
            ASSERT_EQ(found.compare(at, piece, data), 0) << at;
    }

    // A file that is open, and whose data the kernel has alone.
    long write_without_sync(const std::string& name, const std::string& data)
    {
        const long fd = our_files.open(at_ours(name), O_WRONLY | O_CREAT);
        EXPECT_GE(fd, 0);
        EXPECT_EQ(our_files.write(fd, data.data(), data.size()), static_cast<long>(data.size()));
        return fd;
    }
    // Waits until as many threads are in a call, and have gone to sleep there.
    void wait_for_calls(uint32_t calls_under_way)
    {
        for (int i = 0; i < 1000 && kernel.activity().calls_under_way < calls_under_way; ++i)
            std::this_thread::sleep_for(10ms);
        std::this_thread::sleep_for(100ms);
    }

    std::atomic<size_t> written{0};
    std::atomic<bool> enough{false};
};

TEST_P(NetworkFilesystemFailures, WithoutAServerNothingIsMounted)
{
    server->kill();
    const long result = mount(GetParam().soft);
    EXPECT_TRUE(is_of_a_lost_server(result)) << result;
    ASSERT_TRUE(server->start()) << server->log();
    ASSERT_EQ(mount(), 0);
    EXPECT_EQ(unmount(), 0);
    EXPECT_TRUE(kernel.halt());
}

TEST_P(NetworkFilesystemFailures, AServerThatIsKilledEndsCalls)
{
    ASSERT_EQ(mount(GetParam().soft), 0);
    long result = 0;
    Crew crew;
    crew.add([&] { result = write_on("file"); });
    wait_for_writer(16 * piece);
    server->kill();
    crew.join();
    EXPECT_TRUE(is_of_a_lost_server(result)) << result;
    std::string data;
    result = our_files.read_file(at_ours("another"), data);
    EXPECT_TRUE(is_of_a_lost_server(result)) << result;
    EXPECT_EQ(unmount(), 0);

    ASSERT_TRUE(server->start()) << server->log();
    ASSERT_EQ(mount(), 0);
    EXPECT_EQ(our_files.write_file(at_ours("another"), "new"), 0);
    EXPECT_EQ(host_files.read_file(at_host("another"), data), 0);
    EXPECT_EQ(data, "new");
    EXPECT_EQ(unmount(), 0);
    EXPECT_TRUE(kernel.halt());
}

TEST_P(NetworkFilesystemFailures, ANetworkThatComesBackLosesNothing)
{
    expect_nothing_is_lost([&] { EXPECT_TRUE(device->set_link(false)); },
                           [&] { EXPECT_TRUE(device->set_link(true)); });
}

TEST_P(NetworkFilesystemFailures, AServerThatIsStartedAgainIsFound)
{
    ASSERT_EQ(mount(), 0);
    ASSERT_EQ(our_files.write_file(at_ours("file"), "old"), 0);
    server->kill();
    ASSERT_TRUE(server->start()) << server->log();
    if (!GetParam().reconnects) {
        EXPECT_EQ(unmount(), 0);
        ASSERT_EQ(mount(), 0);
    }
    long result = -1;
    for (int i = 0; i < 300 && result != 0; ++i) {
        result = our_files.write_file(at_ours("file"), "new");
        if (result != 0)
            std::this_thread::sleep_for(100ms);
    }
    EXPECT_EQ(result, 0);
    std::string data;
    EXPECT_EQ(host_files.read_file(at_host("file"), data), 0);
    EXPECT_EQ(data, "new");
    EXPECT_EQ(unmount(), 0);
    EXPECT_TRUE(kernel.halt());
}

TEST_P(NetworkFilesystemFailures, HaltWritesBack)
{
    const std::string data = pattern(3, 1'500'000);
    ASSERT_EQ(mount(), 0);
    write_without_sync("file", data);
    EXPECT_TRUE(kernel.halt());
    std::string found;
    EXPECT_EQ(host_files.read_file(at_host("file"), found), 0);
    EXPECT_TRUE(found == data);
}

TEST_P(NetworkFilesystemFailures, HaltEndsWithoutTheServer)
{
    ASSERT_EQ(mount(GetParam().soft), 0);
    write_without_sync("file", pattern(3, 10'000));
    server->kill();
    EXPECT_TRUE(kernel.halt());
}

TEST_P(NetworkFilesystemFailures, HaltAsksForNothingThatIsWritten)
{
    ASSERT_EQ(mount(), 0);
    const long fd = write_without_sync("file", pattern(3, 10'000));
    EXPECT_EQ(our_files.fsync(fd), 0);
    ASSERT_TRUE(device->set_link(false));
    EXPECT_TRUE(kernel.halt());
}

TEST_P(NetworkFilesystemFailures, HaltEndsCallsThatAreNotAnswered)
{
    ASSERT_EQ(mount(), 0);
    ASSERT_EQ(host_files.write_file(at_host("file"), "data"), 0);
    ASSERT_TRUE(device->set_link(false));
    long result = 0;
    Crew crew;
    crew.add([&] {
        std::string data;
        result = our_files.read_file(at_ours("file"), data);
    });
    wait_for_calls(1);
    EXPECT_TRUE(kernel.halt());
    crew.join();
    EXPECT_EQ(result, -ESHUTDOWN);
}

INSTANTIATE_TEST_SUITE_P(
    , NetworkFilesystemFailures,
    testing::ValuesIn(protocols({"p9_mmap", "smb3", "nfs3", "nfs40", "nfs41"})), name_of_protocol);

// Calls that wait for a server no longer than they are told to. Those of NFSv4 wait until TCP
// gives up, for a minute.
using NetworkFilesystemLimits = NetworkFilesystemFailures;

TEST_P(NetworkFilesystemLimits, AServerThatIsSilentEndsCalls)
{
    ASSERT_EQ(mount(GetParam().soft), 0);
    ASSERT_EQ(host_files.write_file(at_host("file"), "data"), 0);
    ASSERT_TRUE(device->set_link(false));
    std::string data;
    const long result = our_files.read_file(at_ours("file"), data);
    EXPECT_TRUE(is_of_a_lost_server(result)) << result;
    EXPECT_EQ(unmount(), 0);
    EXPECT_TRUE(kernel.halt());
}

INSTANTIATE_TEST_SUITE_P(, NetworkFilesystemLimits, testing::ValuesIn(protocols({"smb3", "nfs3"})),
                         name_of_protocol);

// Calls that wait for a server as long as it takes.
using NetworkFilesystemPatience = NetworkFilesystemFailures;

TEST_P(NetworkFilesystemPatience, AServerThatIsStartedAgainLosesNothing)
{
    expect_nothing_is_lost([&] { server->kill(); },
                           [&] { EXPECT_TRUE(server->start()) << server->log(); });
}

TEST_P(NetworkFilesystemPatience, AForcedUnmountEndsCalls)
{
    ASSERT_EQ(mount(), 0);
    const long fd = write_without_sync("file", pattern(3, 1'500'000));
    server->kill();
    std::atomic<int> ended{0};
    Crew crew;
    crew.add([&] {
        our_files.fsync(fd);
        ++ended;
    });
    crew.add([&] {
        std::string data;
        EXPECT_LT(our_files.read_file(at_ours("another"), data), 0);
        ++ended;
    });
    wait_for_calls(2);
    EXPECT_EQ(ended, 0);
    // Each ends what waits at the moment, and the file that is open keeps it mounted.
    for (int i = 0; i < 300 && ended < 2; ++i) {
        EXPECT_EQ(kernel.syscall(__lkl__NR_umount2, mount_point, MNT_FORCE), -EBUSY);
        std::this_thread::sleep_for(50ms);
    }
    EXPECT_EQ(ended, 2);
    EXPECT_TRUE(kernel.halt());
    crew.join();
}

INSTANTIATE_TEST_SUITE_P(, NetworkFilesystemPatience,
                         testing::ValuesIn(protocols({"nfs3", "nfs40", "nfs41"})),
                         name_of_protocol);

}  // namespace
}  // namespace lkl::test
