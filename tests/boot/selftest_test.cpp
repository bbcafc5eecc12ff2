// SPDX-License-Identifier: GPL-2.0-only
// The kernel's vector implementations agree with its generic ones, at every level of
// CPU features that this machine has: vmlinux-selftest compares them when it boots
// (arch/lkl/lib/selftest). It has the KUnit suites of the port as well.
#include <array>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <regex>
#include <string>
#include <vector>

#include <support/kernel.hpp>

namespace lkl::test {
namespace {

// What a boot ended with.
struct Boot {
    bool started = false;
    std::string error;
    std::string log;

    explicit Boot(const std::string& command_line)
    {
        const char* const image = std::getenv("LKL_KERNEL_IMAGE");
        KernelOptions options;
        options.image =
            std::filesystem::path(image ? image : "").parent_path() / "vmlinux-selftest";
        options.command_line = command_line;
        options.fault_handler = true;  // of bad pointers, and of pages that are gone
        options.memory = 256 << 20;    // of which one suite maps much
        std::mutex mutex;
        options.log = [&](std::string_view text) {
            const std::lock_guard lock(mutex);
            log.append(text);
        };
        auto kernel = Kernel::start(options);
        started = kernel.has_value();
        if (started)
            EXPECT_TRUE(kernel->halt());
        else
            error = kernel.error().what;
    }

    // The first group of a pattern, empty without a match.
    std::string find(const std::string& pattern) const
    {
        std::smatch match;
        return std::regex_search(log, match, std::regex(pattern)) ? match[1].str() : "";
    }
};

// What lkl.cpu= takes, lowest first, and whether the compiler's own look at the CPU
// and at XCR0 finds this level here.
struct Level {
    const char* name;
    bool present;
};

std::array<Level, 5> levels()
{
    return {{
        {"generic", true},
        {"sse", true},
        {"avx", __builtin_cpu_supports("avx") != 0},
        {"avx2", __builtin_cpu_supports("avx2") != 0},
        {"avx512", __builtin_cpu_supports("avx512f") != 0},
    }};
}

TEST(Selftest, EveryLevelOfTheCpuAgreesWithTheGenericCode)
{
    const Watchdog watchdog(240s, "self-test at each level");
    int before = 0;
    for (const Level& level : levels()) {
        SCOPED_TRACE(level.name);
        const Boot boot(std::string("lkl.cpu=") + level.name);
        EXPECT_TRUE(boot.started) << boot.error << "\n" << boot.log;
        const std::string used = boot.find("cpu: at most (\\w+)");
        if (!level.present) {
            EXPECT_NE(used, level.name);
            continue;
        }
        EXPECT_EQ(used, level.name);

        EXPECT_NE(boot.find("selftest: \\d+ implementations, (\\d+) comparisons, 0 differ"), "")
            << boot.log;
        EXPECT_EQ(boot.log.find("selftest: differs"), std::string::npos) << boot.log;
        const std::string count = boot.find("selftest: (\\d+) implementations");
        ASSERT_NE(count, "") << boot.log;
        std::printf("%s: %s implementations\n", level.name, count.c_str());
        // Each level has routines of its own.
        EXPECT_GT(std::stoi(count), before);
        before = std::stoi(count);
    }
}

TEST(Selftest, ThePortsSuitesPass)
{
    const Watchdog watchdog(240s, "suites");
    const Boot boot("kunit.enable=1");
    EXPECT_TRUE(boot.started) << boot.error;
    for (const char* const suite :
         {"lkl_irq", "lkl_mirror", "lkl_switch", "lkl_time", "lkl_uaccess"}) {
        EXPECT_NE(boot.find("\\] (ok) \\d+ " + std::string(suite)), "") << suite;
    }
    EXPECT_EQ(boot.log.find("not ok"), std::string::npos) << boot.log;
}

TEST(Selftest, UsesAllOfTheCpuByItself)
{
    std::string highest;
    for (const Level& level : levels()) {
        if (level.present)
            highest = level.name;
    }
    EXPECT_EQ(Boot("").find("cpu: at most (\\w+)"), highest);
}

// One wrong bit in one result ends the boot, whichever group of routines it comes
// from, and the log says which.
TEST(Selftest, AWrongBitIsFound)
{
    const Watchdog watchdog(240s, "self-test with damage");
    for (const char* const group : {"memory", "sums", "raid", "hashes", "ciphers", "library"}) {
        SCOPED_TRACE(group);
        const Boot boot(std::string("lkl.selftest_damage=") + group);
        EXPECT_FALSE(boot.started);
        EXPECT_NE(boot.error.find("lkl selftest: 1 of "), std::string::npos) << boot.error;
        EXPECT_NE(boot.find("selftest: differs: (\\w+)"), "") << boot.log;
    }
}

}  // namespace
}  // namespace lkl::test
