// SPDX-License-Identifier: GPL-2.0-only
// The kernel has the calls that docs/syscalls.md says it has, and no others.
#include <array>
#include <map>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include <lkl.h>

namespace {

struct State {
    long number;
    const char* name;
    bool absent;
};

const State states[] = {
#include "syscall_states.inc"
};

using Params = std::array<long, 6>;

// Nothing that a call could take for good: bad descriptors, addresses, flags.
constexpr Params nonsense{-1, -1, -1, -1, -1, -1};

// Calls that would say ENOSYS to nonsense, or keep it.
Params params_of(const std::string& name)
{
    static int word;
    const long address = reinterpret_cast<long>(&word);
    if (name == "futex")
        return {address, LKL_FUTEX_WAKE | LKL_FUTEX_PRIVATE_FLAG, 1, 0, 0, 0};
    if (name == "set_tid_address")
        return {address, 0, 0, 0, 0, 0};
    return nonsense;
}

class SyscallStates : public testing::Test {
protected:
    static void SetUpTestSuite()
    {
        ASSERT_EQ(lkl_init(&lkl_host_ops), 0);
        ASSERT_EQ(lkl_start_kernel("mem=64M"), 0) << lkl_error_message();
    }
    static void TearDownTestSuite()
    {
        EXPECT_EQ(lkl_sys_halt(), 0);
        lkl_cleanup();
    }
};

TEST_F(SyscallStates, EveryCallIsThereOrNotAsDocumented)
{
    EXPECT_GT(std::size(states), 300u);
    for (const State& state : states) {
        Params params = params_of(state.name);
        const long result = lkl_syscall(state.number, params.data());
        EXPECT_EQ(result == -LKL_ENOSYS, state.absent) << state.name << ": " << result;
        ASSERT_EQ(lkl_is_running(), 1) << "after " << state.name << "\n" << lkl_panic_message();
    }
}

// What unshare is limited by, and what it is not.
TEST_F(SyscallStates, NamespacesAreThereOrNotAsDocumented)
{
    EXPECT_EQ(lkl_sys_unshare(LKL_CLONE_NEWUSER), -LKL_EINVAL);
    EXPECT_EQ(lkl_sys_unshare(LKL_CLONE_NEWTIME), -LKL_EINVAL);
    std::thread([] {
        EXPECT_EQ(lkl_sys_unshare(LKL_CLONE_NEWUSER), -LKL_EINVAL);
        for (const unsigned long flag : {LKL_CLONE_NEWNET, LKL_CLONE_NEWNS, LKL_CLONE_NEWUTS,
                                         LKL_CLONE_NEWIPC, LKL_CLONE_NEWCGROUP})
            EXPECT_EQ(lkl_sys_unshare(flag), 0) << std::hex << flag;
    }).join();
    EXPECT_EQ(lkl_is_running(), 1);
}

TEST_F(SyscallStates, NumbersWithoutACallAreRefused)
{
    std::map<long, std::string> known;
    for (const State& state : states)
        known[state.number] = state.name;
    for (long number = -2; number < 1024; number++) {
        // 244 to 259 belong to the port.
        if (known.count(number) || (number >= 244 && number < 260))
            continue;
        Params params = nonsense;
        EXPECT_EQ(lkl_syscall(number, params.data()), -LKL_ENOSYS) << number;
    }
    for (const long number : {long{1} << 31, long{1} << 32, long{1} << 62, ~(long{1} << 62)}) {
        Params params = nonsense;
        EXPECT_EQ(lkl_syscall(number, params.data()), -LKL_ENOSYS) << number;
    }
}

}  // namespace
