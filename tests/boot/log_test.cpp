// SPDX-License-Identifier: GPL-2.0-only
// The kernel's log as it comes to a program: text, and text with levels.
#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <lkl.h>

#include <support/kernel.hpp>

namespace lkl::test {
namespace {

struct Log {
    void add(int level, std::string_view line)
    {
        const std::lock_guard lock(mutex);
        lines.emplace_back(level, line);
    }
    // The level of the line that ends like this; none: there is no such line.
    std::optional<int> level_of(const std::string& end)
    {
        const std::lock_guard lock(mutex);
        for (const auto& [level, line] : lines) {
            if (line.ends_with("] " + end + "\n"))
                return level;
        }
        return std::nullopt;
    }
    // That of a line which has the text in it.
    std::optional<int> level_with(std::string_view text)
    {
        const std::lock_guard lock(mutex);
        for (const auto& [level, line] : lines) {
            if (line.find(text) != std::string::npos)
                return level;
        }
        return std::nullopt;
    }
    // One line each, with its time, and no level left in it.
    void expect_lines()
    {
        const std::lock_guard lock(mutex);
        EXPECT_GT(lines.size(), 20u);
        for (const auto& [level, line] : lines) {
            EXPECT_TRUE(level >= 0 && level <= 7) << level;
            EXPECT_TRUE(line.starts_with('[')) << line;
            EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
        }
    }

    std::mutex mutex;
    std::vector<std::pair<int, std::string>> lines;
};

void say(Kernel& kernel, const std::string& text)
{
    EXPECT_EQ(Calls(kernel).write_file("/dev/kmsg", text), 0);
}

TEST(KernelLog, TellsTheLevelOfEachLine)
{
    Log log;
    std::mutex mutex;
    std::string text;
    KernelOptions options;
    options.command_line = "loglevel=8 -- for-init";
    options.log_with_level = [&](int level, std::string_view line) { log.add(level, line); };
    options.log = [&](std::string_view line) {
        const std::lock_guard lock(mutex);
        text += line;
    };
    Kernel kernel = boot(options);
    Calls(kernel).mount_at("devtmpfs", "/dev");
    say(kernel, "<3>an error\n");
    say(kernel, "<0>an emergency\n");
    say(kernel, "<7>for debugging\n");
    say(kernel, "<12>a user's warning\n");
    say(kernel, "<5>first of two\nsecond of two\n");
    say(kernel, "<6><1>looks like another\n");
    EXPECT_EQ(log.level_of("an error"), 3);
    EXPECT_EQ(log.level_of("an emergency"), 0);
    EXPECT_EQ(log.level_of("for debugging"), 7);
    EXPECT_EQ(log.level_of("a user's warning"), 4);
    EXPECT_EQ(log.level_of("first of two"), 5);
    EXPECT_EQ(log.level_of("second of two"), 5);
    EXPECT_EQ(log.level_of("<1>looks like another"), 6);
    EXPECT_TRUE(kernel.halt());
    log.expect_lines();

    // Who listens to the text as well gets the same.
    std::string all;
    for (const auto& [level, line] : log.lines)
        all += line;
    EXPECT_EQ(text, all);
}

// Those, too, that come before the kernel has read its command line.
TEST(KernelLog, TellsTheLevelOfTheFirstLines)
{
    Log log;
    KernelOptions options;
    options.log_with_level = [&](int level, std::string_view line) { log.add(level, line); };
    Kernel kernel = boot(options);
    EXPECT_EQ(log.level_with("Linux version"), 5);
    EXPECT_EQ(log.level_with("Kernel command line: "), 5);
    const std::lock_guard lock(log.mutex);
    ASSERT_FALSE(log.lines.empty());
    EXPECT_NE(log.lines[0].second.find("Linux version"), std::string::npos);
}

// The console is asked for levels only for those who want them.
TEST(KernelLog, IsTextForWhoWantsNoLevels)
{
    KernelOptions options;
    Log log;
    options.log = [&](std::string_view lines) { log.add(0, lines); };
    Kernel kernel = boot(options);
    Calls calls(kernel);
    calls.mount_at("proc", "/proc");
    calls.mount_at("devtmpfs", "/dev");
    EXPECT_EQ(calls.read_file("/proc/cmdline").find("console_msg_format"), std::string::npos);
    say(kernel, "<3>an error\n");
    EXPECT_TRUE(log.level_of("an error"));
    log.expect_lines();
}

TEST(KernelLog, OfTheCInterface)
{
    static Log log;
    static std::atomic<bool> printed{false};
    lkl_host_operations ops{};
    ops.print = [](const char*, int) { printed = true; };
    const auto listener = [](int level, const char* text, int length) {
        log.add(level, std::string_view(text, static_cast<size_t>(length)));
    };
    EXPECT_EQ(lkl_set_log(listener), -LKL_EINVAL) << "before lkl_init()";
    ASSERT_EQ(lkl_init(&ops), 0);
    ASSERT_EQ(lkl_set_log(listener), 0);
    ASSERT_EQ(lkl_start_kernel("mem=64M"), 0) << lkl_error_message();
    EXPECT_EQ(lkl_set_log(nullptr), -LKL_EBUSY);
    ASSERT_EQ(lkl_sys_mknod("/kmsg", LKL_S_IFCHR | 0600, (1 << 8) | 11), 0);
    const auto fd = static_cast<unsigned>(lkl_sys_open("/kmsg", LKL_O_WRONLY, 0));
    EXPECT_EQ(lkl_sys_write(fd, "<2>critical\n", 12), 12);
    EXPECT_EQ(log.level_of("critical"), 2);
    EXPECT_FALSE(printed) << "in place of lkl_host_operations.print";
    EXPECT_EQ(lkl_sys_halt(), 0);
    lkl_cleanup();
    log.expect_lines();

    // It is for one kernel.
    const size_t count = log.lines.size();
    ASSERT_EQ(lkl_init(&ops), 0);
    ASSERT_EQ(lkl_start_kernel("mem=64M"), 0) << lkl_error_message();
    EXPECT_TRUE(printed);
    lkl_cleanup();
    EXPECT_EQ(log.lines.size(), count);
}

}  // namespace
}  // namespace lkl::test
