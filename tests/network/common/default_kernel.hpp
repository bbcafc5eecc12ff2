// SPDX-License-Identifier: GPL-2.0-only
// The kernel of the C interface, for a test of its network.
#pragma once

#include <gtest/gtest.h>

#include <lkl.h>

#include "stack.hpp"

namespace lkl::test {

// Runs while a test does, which has a network namespace of the host for itself.
class DefaultKernel : public testing::Test {
protected:
    void SetUp() override
    {
        if (!enter_new_namespace())
            GTEST_SKIP() << "needs root";
        ASSERT_EQ(lkl_init(&lkl_host_ops), 0);
        ASSERT_EQ(lkl_start_kernel("mem=64M"), 0);
    }
    void TearDown() override
    {
        lkl_sys_halt();
        lkl_cleanup();
    }
};

}  // namespace lkl::test
