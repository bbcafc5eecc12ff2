// SPDX-License-Identifier: GPL-2.0-only
// Files that go with the process: none is left, whenever the signal comes.
#include <array>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "common/doomed_file.hpp"

namespace tools {
namespace {

constexpr int signals = 200;

// Creates and removes files of a name of its own until the process ends. Files are known
// only a while after they exist.
[[noreturn]] void create_files(int directory, const std::string& name)
{
    DoomedFile doomed;
    for (;;) {
        {
            const CreationOfDoomedFile creation;
            const int file = openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
            usleep(100);
            doomed.set(directory, name);
            close(file);
        }
        unlinkat(directory, name.c_str(), 0);
        doomed.clear();
    }
}

// The process that is ended, once it has begun.
pid_t start(const std::string& path, int threads, int begun)
{
    const pid_t child = fork();
    if (child != 0)
        return child;
    for (const int number : {SIGINT, SIGTERM, SIGHUP})
        signal(number, SIG_DFL);
    const int directory = open(path.c_str(), O_RDONLY | O_DIRECTORY);
    std::array<std::thread, DoomedFile::most - 1> others;
    for (int i = 1; i < threads; i++)
        others[static_cast<size_t>(i - 1)] =
            std::thread([=] { create_files(directory, std::to_string(i)); });
    // Its place is taken before the signal may come.
    const DoomedFile first;
    if (write(begun, "", 1) != 1)
        _exit(1);
    create_files(directory, "0");
}

void end_by_signals(int threads)
{
    std::string path = testing::TempDir() + "/lkl-doomed-XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    for (int i = 0; i < signals; i++) {
        std::array<int, 2> begun{};
        ASSERT_EQ(pipe(begun.data()), 0);
        const pid_t child = start(path, threads, begun[1]);
        ASSERT_GT(child, 0);
        char byte = 0;
        EXPECT_EQ(read(begun[0], &byte, 1), 1);
        usleep(static_cast<unsigned>(i) * 13);
        const int number = std::array{SIGINT, SIGTERM, SIGHUP}[static_cast<size_t>(i) % 3];
        EXPECT_EQ(kill(child, number), 0);
        int status = 0;
        EXPECT_EQ(waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == number) << status;
        close(begun[0]);
        close(begun[1]);
        EXPECT_TRUE(std::filesystem::is_empty(path)) << "after " << i << " signals";
        for (const auto& file : std::filesystem::directory_iterator(path))
            std::filesystem::remove(file);
    }
    std::filesystem::remove_all(path);
}

TEST(DoomedFile, NoneIsLeftByOneThread)
{
    end_by_signals(1);
}

TEST(DoomedFile, NoneIsLeftByThreads)
{
    end_by_signals(3);
}

}  // namespace
}  // namespace tools
