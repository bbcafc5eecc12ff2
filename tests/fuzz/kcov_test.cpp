// SPDX-License-Identifier: GPL-2.0-only
// KCOV by its usual interface, /sys/kernel/debug/kcov, in a kernel that has it.
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <sys/mman.h>

#include <gtest/gtest.h>

#include <lkl/linux/kcov.h>

#include <support/kernel.hpp>

namespace lkl::test {
namespace {

// _LKL_IOR('c', 1, unsigned long) and _LKL_IO('c', NUMBER), whose macros the header leaves to
// others.
constexpr unsigned long init_trace = 0x80086301;
constexpr unsigned long enable = 0x6364;
constexpr unsigned long disable = 0x6365;

constexpr uint64_t entries = 64 << 10;

class Kcov : public testing::Test {
protected:
    void SetUp() override
    {
        calls.mount_at("sysfs", "/sys");
        calls.mount_at("proc", "/proc");
        calls.mount_at("debugfs", "/sys/kernel/debug");
        fd = calls.open("/sys/kernel/debug/kcov", LKL_O_RDWR);
        if (fd == -LKL_ENOENT)
            GTEST_SKIP() << "this kernel has no KCOV: make test-fuzz, make test-kasan";
        ASSERT_GE(fd, 0);
        ASSERT_EQ(control(init_trace, entries), 0);
        const long at = kernel.syscall(__lkl__NR_mmap, 0, entries * sizeof(uint64_t),
                                       PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        ASSERT_GE(at, 0);
        area = reinterpret_cast<uint64_t*>(at);
    }
    long control(unsigned long what, unsigned long argument = 0)
    {
        return kernel.syscall(__lkl__NR_ioctl, fd, what, argument);
    }
    uint64_t count() const { return __atomic_load_n(area, __ATOMIC_RELAXED); }
    void clear() { __atomic_store_n(area, 0, __ATOMIC_RELAXED); }
    // The functions of the places in the area.
    std::set<std::string> functions()
    {
        std::map<uint64_t, std::string> symbols;
        std::istringstream text(calls.read_file("/proc/kallsyms"));
        for (std::string line; std::getline(text, line);) {
            char* name = nullptr;
            const uint64_t address = std::strtoull(line.c_str(), &name, 16);
            symbols[address] = std::string(name).substr(3);  // " t NAME"
        }
        std::set<std::string> found;
        for (uint64_t i = 1; i <= places; ++i) {
            const auto after = symbols.upper_bound(seen[i]);
            if (after != symbols.begin())
                found.insert(std::prev(after)->second);
        }
        return found;
    }
    // What the area holds now, before other calls add to it.
    void keep()
    {
        places = count();
        seen.assign(area, area + places + 1);
    }

    Kernel kernel = boot();
    Calls calls{kernel};
    long fd = -1;
    uint64_t* area = nullptr;
    uint64_t places = 0;
    std::vector<uint64_t> seen;
};

TEST_F(Kcov, PlacesOfACallAreThoseOfItsFunctions)
{
    const Watchdog watchdog(120s, "KCOV's places");
    ASSERT_EQ(control(enable, LKL_KCOV_TRACE_PC), 0);
    EXPECT_EQ(control(enable, LKL_KCOV_TRACE_PC), -LKL_EINVAL);
    clear();
    char byte = 0;
    ASSERT_EQ(calls.read(-1, &byte, 1), -LKL_EBADF);
    keep();
    ASSERT_EQ(control(disable), 0);
    EXPECT_GT(places, 0u);
    const std::set<std::string> found = functions();
    EXPECT_TRUE(found.contains("ksys_read")) << places;
    EXPECT_FALSE(found.contains("ksys_write"));

    // Off is off.
    clear();
    EXPECT_EQ(calls.read(-1, &byte, 1), -LKL_EBADF);
    EXPECT_EQ(count(), 0u);
}

TEST_F(Kcov, AnotherThreadsCallsAreNotCounted)
{
    const Watchdog watchdog(120s, "KCOV's threads");
    ASSERT_EQ(control(enable, LKL_KCOV_TRACE_PC), 0);
    clear();
    std::thread([this] { EXPECT_EQ(calls.close(-1), -LKL_EBADF); }).join();
    keep();
    EXPECT_FALSE(functions().contains("file_close_fd"));
    clear();
    EXPECT_EQ(calls.close(-1), -LKL_EBADF);
    keep();
    EXPECT_TRUE(functions().contains("file_close_fd"));
    ASSERT_EQ(control(disable), 0);
}

TEST_F(Kcov, ComparisonsHaveWhatWasCompared)
{
    const Watchdog watchdog(120s, "KCOV's comparisons");
    // ENOTSUPP, which is not for programs
    const long enabled = control(enable, LKL_KCOV_TRACE_CMP);
    if (enabled == -524)
        GTEST_SKIP() << "this kernel's KCOV has no comparisons";
    ASSERT_EQ(enabled, 0);
    clear();
    // An unknown whence is told from the known ones by a comparison.
    constexpr unsigned whence = 0x6d;
    EXPECT_EQ(kernel.syscall(__lkl__NR_lseek, fd, 0, whence), -LKL_EINVAL);
    keep();
    ASSERT_EQ(control(disable), 0);
    bool is_there = false;
    // A number, and four words for each: type, both values, place.
    for (uint64_t i = 0; i < places; ++i)
        is_there |= area[2 + 4 * i] == whence || area[3 + 4 * i] == whence;
    EXPECT_TRUE(is_there) << places;
}

}  // namespace
}  // namespace lkl::test
