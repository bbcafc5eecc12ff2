// SPDX-License-Identifier: GPL-2.0-only
//
// A program in C++ as somebody else would write it: boots a kernel and asks it
// its name.
#include <cstring>
#include <iostream>

#include <lkl/asm/unistd.h>
#include <lkl/kernel.hpp>
#include <lkl/linux/utsname.h>

int main()
{
    auto kernel = lkl::Kernel::start();
    if (!kernel) {
        std::cerr << kernel.error().what << '\n';
        return 1;
    }
    lkl_new_utsname name{};
    if (kernel->syscall(__lkl__NR_uname, &name) != 0 || std::strcmp(name.sysname, "Linux") != 0) {
        std::cerr << "uname does not say Linux\n";
        return 1;
    }
    if (auto halted = kernel->halt(); !halted) {
        std::cerr << halted.error().what << '\n';
        return 1;
    }
    std::cout << name.sysname << ' ' << name.release << '\n';
    return 0;
}
