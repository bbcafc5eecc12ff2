// SPDX-License-Identifier: GPL-2.0-only
// A kernel that is started inside of the sandbox: it works, and its faults are told.
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <lkl/asm/unistd.h>
#include <lkl/kernel.hpp>
#include <sys/mman.h>
#include <unistd.h>

#include <hostile/attempt.hpp>
#include <support/process.hpp>

namespace lkl::test {
namespace {

// In a child of its own; the kernel's image is open, as it is in the tools.
int inside(const std::function<int(Kernel&)>& use)
{
    const int image = open(default_kernel_image().c_str(), O_RDONLY | O_CLOEXEC);
    EXPECT_GE(image, 0) << default_kernel_image();
    const tools::SandboxRules rules;
    const int result = outcome(geteuid(), &rules, [&] {
        KernelOptions options;
        options.image_descriptor = image;
        options.fault_handler = true;
        auto kernel = Kernel::start(options);
        if (!kernel) {
            std::fprintf(stderr, "%s\n", kernel.error().what.c_str());
            return 253;
        }
        return use(*kernel);
    });
    close(image);
    return result;
}

TEST(SandboxKernel, StartsAndEnds)
{
    EXPECT_EQ(inside([](Kernel& kernel) {
                  return kernel.syscall(__lkl__NR_getpid) == 1 && kernel.halt() ? 0 : 1;
              }),
              0);
}

// By way of SIGSEGV, its handler, and the return from it.
TEST(SandboxKernel, ABadPointerIsAnError)
{
    EXPECT_EQ(inside([](Kernel& kernel) {
                  void* const nothing =
                      mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                  return static_cast<int>(-kernel.syscall(__lkl__NR_uname, nothing));
              }),
              EFAULT);
}

// A fault of other code stays what it is.
TEST(SandboxKernel, OtherFaultsKill)
{
    if (sanitized())
        GTEST_SKIP() << "AddressSanitizer reports the fault";
    EXPECT_EQ(inside([](Kernel&) {
                  void* const nothing =
                      mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                  return *static_cast<volatile char*>(nothing);
              }),
              by_signal(SIGSEGV));
}

}  // namespace
}  // namespace lkl::test
