// SPDX-License-Identifier: GPL-2.0-only
// FUSE servers of this program that do not answer, or leave, and kernels that end while their
// file systems are mounted.
#include <atomic>
#include <cerrno>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/mount.h>

#include <support/tree.hpp>

#include "common/fuse_test.hpp"

namespace lkl::test {
namespace {

class FuseFailures : public FuseTest, public testing::Test {
protected:
    // A call that waits for the server until `end` has been called; its result.
    template <typename End>
    long result_of_waiting(End end)
    {
        const unsigned before = server->count(LKL_FUSE_LOOKUP);
        std::atomic<long> result{1};
        Crew crew;
        crew.add([&] {
            struct statx found {};
            result = our_files.stat(at_ours("file"), found);
        });
        wait_for(LKL_FUSE_LOOKUP, before + 1);
        EXPECT_EQ(result, 1);
        end();
        crew.join();
        return result;
    }
    // Waits until so many requests of a kind have come.
    void wait_for(uint32_t opcode, unsigned wanted)
    {
        for (int i = 0; i < 2000 && server->count(opcode) < wanted; ++i)
            std::this_thread::sleep_for(10ms);
        EXPECT_GE(server->count(opcode), wanted);
    }
    // A file that is open, and whose data the kernel has, the server perhaps not.
    long write_without_sync(const std::string& data)
    {
        const long fd = our_files.open(at_ours("file"), O_WRONLY | O_CREAT);
        EXPECT_GE(fd, 0);
        EXPECT_EQ(our_files.write(fd, data.data(), data.size()), static_cast<long>(data.size()));
        return fd;
    }

    const FuseOptions write_back{.flags = LKL_FUSE_WRITEBACK_CACHE, .splices = true};
    const std::string some_data = pattern(9, 10'000);
};

TEST_F(FuseFailures, AServerThatLeavesEndsCalls)
{
    mount({});
    server->set_manner(FuseServer::Manner::leaves);
    struct statx found {};
    EXPECT_EQ(our_files.stat(at_ours("file"), found), -ECONNABORTED);
    EXPECT_EQ(our_files.stat(at_ours("file"), found), -ENOTCONN);
    EXPECT_EQ(calls.umount(mount_point), 0);
    EXPECT_EQ(server->join(), 0);
    EXPECT_TRUE(kernel.halt());
}

TEST_F(FuseFailures, AForcedUnmountEndsCalls)
{
    mount({});
    server->set_manner(FuseServer::Manner::ignores);
    const long result = result_of_waiting([&] {
        // The call that is in it keeps it mounted.
        EXPECT_EQ(kernel.syscall(__lkl__NR_umount2, mount_point, MNT_FORCE), -EBUSY);
    });
    EXPECT_EQ(result, -ECONNABORTED);
    EXPECT_EQ(calls.umount(mount_point), 0);
    EXPECT_EQ(server->join(), -ENODEV);
    EXPECT_TRUE(kernel.halt());
}

TEST_F(FuseFailures, AConnectionThatIsAbortedEndsCalls)
{
    mount({});
    calls.mount_at("sysfs", "/sys");
    calls.mount_at("fusectl", "/sys/fs/fuse/connections");
    struct statx found {};
    ASSERT_EQ(our_files.stat(mount_point, found), 0);
    const std::string control = "/sys/fs/fuse/connections/" + std::to_string(found.stx_dev_minor);
    server->set_manner(FuseServer::Manner::ignores);
    const long result = result_of_waiting([&] {
        EXPECT_EQ(calls.read_file((control + "/waiting").c_str()), "1\n");
        EXPECT_EQ(calls.write_file((control + "/abort").c_str(), "1"), 0);
    });
    EXPECT_EQ(result, -ECONNABORTED);
    EXPECT_EQ(server->join(), -ENODEV);
    EXPECT_EQ(calls.umount(mount_point), 0);
    EXPECT_TRUE(kernel.halt());
}

TEST_F(FuseFailures, HaltEndsCallsThatAreNotAnswered)
{
    mount({.splices = true});
    server->set_manner(FuseServer::Manner::ignores);
    EXPECT_EQ(result_of_waiting([&] { EXPECT_TRUE(kernel.halt()); }), -ESHUTDOWN);
    EXPECT_EQ(server->join(), -ESHUTDOWN);
}

// sync(2) does not wait for writes to FUSE that are under way.
TEST_F(FuseFailures, HaltWritesBack)
{
    const std::string data = pattern(3, 1'500'000);
    mount(write_back);
    server->set_manner(FuseServer::Manner::writes_slowly);
    write_without_sync(data);
    EXPECT_TRUE(kernel.halt());
    EXPECT_EQ(server->join(), -ESHUTDOWN);
    std::string found;
    EXPECT_EQ(host_files.read_file(at_host("file"), found), 0);
    EXPECT_TRUE(found == data);
}

TEST_F(FuseFailures, HaltAsksForNothingThatIsWritten)
{
    mount(write_back);
    const long fd = write_without_sync(some_data);
    EXPECT_EQ(our_files.fsync(fd), 0);
    server->set_manner(FuseServer::Manner::ignores);
    EXPECT_TRUE(kernel.halt());
    EXPECT_EQ(server->join(), -ESHUTDOWN);
}

TEST_F(FuseFailures, HaltEndsWithoutTheServer)
{
    mount(write_back);
    write_without_sync(some_data);
    server->set_manner(FuseServer::Manner::leaves);
    EXPECT_TRUE(kernel.halt());
    EXPECT_EQ(server->join(), 0);
    EXPECT_NE(log.find("lkl: fuse (fuse): not all is written back: "), std::string::npos) << log;
}

// Nobody may serve any more when a program ends: not for ever, therefore, and not in silence.
class FuseNoAnswer : public FuseFailures {
protected:
    void halt_and_look()
    {
        const auto start = std::chrono::steady_clock::now();
        EXPECT_TRUE(kernel.halt());
        const auto time = std::chrono::steady_clock::now() - start;
        EXPECT_GE(time, 9s);
        EXPECT_LT(time, 60s);
        EXPECT_NE(log.find("lkl: fuse (fuse): not answered for 10 s, given up"), std::string::npos)
            << log;
    }
};

TEST_F(FuseNoAnswer, HaltGivesUpData)
{
    mount(write_back);
    write_without_sync(some_data);
    server->set_manner(FuseServer::Manner::ignores);
    halt_and_look();
    EXPECT_NE(log.find("lkl: fuse (fuse): not all is written back: "), std::string::npos) << log;
}

// Times of a file, for which sync(2) itself waits.
TEST_F(FuseNoAnswer, HaltGivesUpAttributes)
{
    mount(write_back);
    const long fd = write_without_sync(some_data);
    EXPECT_EQ(kernel.syscall(__lkl__NR_sync_file_range, fd, 0, 0, SYNC_FILE_RANGE_WRITE), 0);
    wait_for(LKL_FUSE_WRITE, 1);
    std::this_thread::sleep_for(200ms);
    server->set_manner(FuseServer::Manner::ignores);
    halt_and_look();
}

// A server that is slow, and goes on.
TEST_F(FuseNoAnswer, HaltWaitsForSlowAnswers)
{
    const std::string data = pattern(3, 300'000);
    FuseOptions options = write_back;
    options.max_write = 100'000;  // pages are not divided: 98,304
    mount(options);
    server->set_slowness(3s);
    server->set_manner(FuseServer::Manner::writes_slowly);
    write_without_sync(data);
    EXPECT_TRUE(kernel.halt());
    EXPECT_GE(server->count(LKL_FUSE_WRITE), 4u) << "which take 12 s";
    EXPECT_EQ(log.find("given up"), std::string::npos) << log;
    std::string found;
    EXPECT_EQ(host_files.read_file(at_host("file"), found), 0);
    EXPECT_TRUE(found == data);
}

// Sooner, when another thread gives it up.
TEST_F(FuseFailures, AForcedUnmountLetsHaltEnd)
{
    mount(write_back);
    write_without_sync(some_data);
    server->set_manner(FuseServer::Manner::ignores);
    std::atomic<bool> ended{false};
    Crew crew;
    crew.add([&] {
        EXPECT_TRUE(kernel.halt());
        ended = true;
    });
    wait_for(LKL_FUSE_WRITE, 1);
    std::this_thread::sleep_for(100ms);
    EXPECT_FALSE(ended);
    // -EBUSY: the file that is open keeps it mounted; or the kernel has ended already.
    EXPECT_LT(kernel.syscall(__lkl__NR_umount2, mount_point, MNT_FORCE), 0);
    crew.join();
    EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace lkl::test
