// SPDX-License-Identifier: GPL-2.0-only
// Two kernels of ours at the ends of one cable.
#pragma once

#include <functional>
#include <memory>

#include <gtest/gtest.h>

#include <lkl/net.hpp>

#include "../../support/kernel.hpp"
#include "stack.hpp"

namespace lkl::test {

class TwoKernels {
public:
    using Decorate = std::function<std::unique_ptr<NetBackend>(std::unique_ptr<NetBackend>)>;

    static constexpr const char* left_address = "10.9.0.1";
    static constexpr const char* right_address = "10.9.0.2";

    // `decorate`: what is put between each kernel and the cable.
    explicit TwoKernels(const Decorate& decorate = [](auto end) { return end; })
    {
        auto ends = make_net_pipe();
        if (!ends) {
            ADD_FAILURE() << ends.error().what;
            return;
        }
        connect(left, left_kernel, left_device, decorate(std::move(ends->first)), left_address);
        connect(right, right_kernel, right_device, decorate(std::move(ends->second)),
                right_address);
    }

    Kernel left_kernel = boot();
    Kernel right_kernel = boot();
    std::unique_ptr<Stack> left, right;
    std::unique_ptr<NetDevice> left_device, right_device;

private:
    static void connect(std::unique_ptr<Stack>& stack, Kernel& kernel,
                        std::unique_ptr<NetDevice>& device, std::unique_ptr<NetBackend> end,
                        const char* address)
    {
        auto added = NetDevice::add(kernel, std::move(end));
        ASSERT_TRUE(added) << added.error().what;
        device = std::make_unique<NetDevice>(*std::move(added));
        stack = our_stack(kernel);
        ASSERT_EQ(stack->configure("eth0", address), 0);
    }
};

}  // namespace lkl::test
