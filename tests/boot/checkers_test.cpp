// SPDX-License-Identifier: GPL-2.0-only
// What a checker of a debug or KASAN kernel reports ends the kernel: at once, or when it is
// halted. Each is given a fault (arch/lkl/kernel/planted_reports.c).
#include <array>
#include <chrono>
#include <ostream>
#include <string>
#include <thread>

#include <support/image.hpp>
#include <support/kernel.hpp>

namespace lkl::test {
namespace {

enum Checkers : unsigned { debug = 1, kasan = 2 };

struct Fault {
    const char* name;
    const char* report;  // a part of it
    unsigned found_by;
    const char* options = "";
    bool after_boot = false;  // found while the kernel has nothing to do
};

void PrintTo(const Fault& fault, std::ostream* out)
{
    *out << fault.name;
}

constexpr std::array faults{
    Fault{"lockdep", "possible circular locking dependency", debug},
    Fault{"sleep", "sleeping function called from invalid context", debug},
    Fault{"rcu", "suspicious RCU usage", debug},
    Fault{"rcu_list", "RCU-list traversed in non-reader section", debug},
    Fault{"list", "list_del corruption", debug},
    Fault{"object", "ODEBUG: init active", debug},
    Fault{"slab", "Right Redzone overwritten", debug},
    Fault{"slab", "KASAN: slab-out-of-bounds", kasan},
    Fault{"page", "pagealloc: memory corruption", debug},
    Fault{"page", "KASAN: use-after-free", kasan},
    Fault{"vm", "VM_BUG_ON_FOLIO", debug},
    Fault{"bounds", "UBSAN: array-index-out-of-bounds", debug},
    Fault{"shift", "UBSAN: shift-out-of-bounds", debug},
    Fault{"division", "UBSAN: division-overflow", debug},
    Fault{"bool", "UBSAN: invalid-load", debug},
    Fault{"unreachable", "UBSAN: unreachable", debug},
    Fault{"kfence", "BUG: KFENCE: ", debug},
    Fault{"soft_lockup", "soft lockup", debug, "watchdog_thresh=1"},
    Fault{"hung_task", "INFO: task planted:", debug, "sysctl.kernel.hung_task_timeout_secs=1",
          true},
};

constexpr auto patience_after_boot = 90s;

unsigned checkers_of_image()
{
    return image_is("debug") ? debug : image_is("kasan") ? kasan : 0u;
}

class CheckersTest : public testing::TestWithParam<Fault> {};

TEST_P(CheckersTest, AReportEndsTheKernel)
{
    const Fault& fault = GetParam();
    if (!(checkers_of_image() & fault.found_by))
        GTEST_SKIP() << "this kernel does not check for it";
    const Watchdog watchdog(180s, fault.name);
    std::string log;
    KernelOptions options;
    options.command_line =
        std::string("lkl_planted_report=") + fault.name + " log_buf_len=1M " + fault.options;
    options.fault_handler = true;  // KFENCE and KASAN find some by a fault
    options.log = [&log](std::string_view line) { log.append(line) += '\n'; };
    std::string last_words;
    if (auto kernel = Kernel::start(options)) {
        const auto end = std::chrono::steady_clock::now() + patience_after_boot;
        while (fault.after_boot && kernel->running() && std::chrono::steady_clock::now() < end)
            std::this_thread::sleep_for(20ms);
        const auto halted = kernel->halt();
        ASSERT_FALSE(halted) << "nobody minds; the log:\n" << log;
        last_words = halted.error().what;
    } else {
        last_words = kernel.error().what;
    }
    EXPECT_NE(log.find(fault.report), log.npos) << last_words << "\nthe log:\n" << log;
}

std::string name_of(const testing::TestParamInfo<Fault>& info)
{
    return std::string(info.param.name) + (info.param.found_by == kasan ? "_kasan" : "");
}

INSTANTIATE_TEST_SUITE_P(Each, CheckersTest, testing::ValuesIn(faults), name_of);

// Without a fault there is no report, or every test of such a kernel would fail.
TEST(SoundKernelTest, HaltsInSilence)
{
    auto kernel = Kernel::start({});
    ASSERT_TRUE(kernel) << kernel.error().what;
    const auto halted = kernel->halt();
    EXPECT_TRUE(halted) << halted.error().what;
}

// The kernel's own test of debug objects.
TEST(SoundKernelTest, CheckersHaveTriedThemselves)
{
    if (checkers_of_image() != debug)
        GTEST_SKIP() << "this kernel has no such checker";
    std::string log;
    KernelOptions options;
    options.log = [&log](std::string_view line) { log.append(line) += '\n'; };
    const auto kernel = Kernel::start(options);
    ASSERT_TRUE(kernel) << kernel.error().what;
    EXPECT_NE(log.find("ODEBUG: selftest passed"), log.npos) << log;
}

}  // namespace
}  // namespace lkl::test
