// SPDX-License-Identifier: GPL-2.0-only
// The target of system calls: calls whose arguments hold pointers do their work.
// ctest: TIMEOUT=120
#include <algorithm>
#include <chrono>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include <lkl/asm-generic/unistd.h>

#include "../../fuzz/library/system_calls.hpp"

namespace {

constexpr auto most_time = std::chrono::seconds(60);

// Inputs of chance alone, until each of them has succeeded once.
TEST(SystemCallTarget, CallsWithPointersSucceed)
{
    auto target = lkl::fuzz::SystemCallTarget::start();
    ASSERT_TRUE(target) << target.error().what;
    std::set<long> missing{__lkl__NR_readv,
                           __lkl__NR_writev,
                           __lkl__NR_preadv2,
                           __lkl__NR_pwritev2,
                           __lkl__NR_bind,
                           __lkl__NR_connect,
                           __lkl__NR_sendmsg,
                           __lkl__NR_recvmsg,
                           __lkl__NR_futex,
                           __lkl__NR_timer_create,
                           __lkl__NR_timer_settime,
                           __lkl__NR_mmap,
                           __lkl__NR_mprotect,
                           __lkl__NR_munmap,
                           __lkl__NR_add_key,
                           __lkl__NR_keyctl,
                           __lkl__NR_msgsnd,
                           __lkl__NR_msgrcv,
                           __lkl__NR_semtimedop,
                           __lkl__NR_shmget,
                           __lkl__NR_io_uring_setup,
                           __lkl__NR_io_uring_enter,
                           __lkl__NR_bpf};
    std::mt19937 random(1);
    const auto end = std::chrono::steady_clock::now() + most_time;
    while (!missing.empty() && std::chrono::steady_clock::now() < end) {
        std::vector<uint8_t> input(400);
        std::generate(input.begin(), input.end(),
                      [&random] { return static_cast<uint8_t>(random()); });
        (*target)->run(input);
        for (const long number : (*target)->succeeded())
            missing.erase(number);
    }
    for (const long number : missing)
        ADD_FAILURE() << "call " << number << " never succeeds";
}

}  // namespace
