# SPDX-License-Identifier: GPL-2.0-only
#
# What can be chosen, and the compiler's flags. lkl_flags carries the flags of
# everything that is compiled for the host.

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Debug, Release, RelWithDebInfo" FORCE)
endif()

set(LKL_LINUX "" CACHE STRING
    "Kernel source, a tarball or a directory; empty: Debian's linux-source-6.12")
set(LKL_KERNEL_CONFIGS "defconfig;tiny_defconfig" CACHE STRING
    "Kernel configurations to build, of arch/lkl/configs; X_defconfig becomes vmlinux-X")
set(LKL_TEST_KERNEL_CONFIGS "selftest_defconfig" CACHE STRING
    "More of them, which only tests need")
set(LKL_KERNEL_BUILD "" CACHE PATH
    "Another build directory of this project whose kernel is used; empty: build one here")
set(LKL_SANITIZE "" CACHE STRING "Sanitizers of the host side, such as address,undefined")
option(LKL_BUILD_TESTS "Offer the tests and benchmarks" ON)
option(LKL_CCACHE "Use ccache when it is installed" ON)

include(ProcessorCount)
ProcessorCount(processors)
if(processors EQUAL 0)
    set(processors 1)
endif()
set(LKL_JOBS ${processors} CACHE STRING "Parallel compilations of the kernel")

set(LKL_CCACHE_PROGRAM "")
if(LKL_CCACHE)
    find_program(ccache_program ccache)
    mark_as_advanced(ccache_program)
    if(ccache_program)
        set(LKL_CCACHE_PROGRAM ${ccache_program})
        set(CMAKE_C_COMPILER_LAUNCHER ${ccache_program})
        set(CMAKE_CXX_COMPILER_LAUNCHER ${ccache_program})
    endif()
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# Programs find the library beside them, in the build directory and installed:
# the same path is built in for both, with one more where the installed library
# stands deeper.
file(RELATIVE_PATH libdir_of_bin
    ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)
set(CMAKE_INSTALL_RPATH $ORIGIN/../lib $ORIGIN/${libdir_of_bin})
list(REMOVE_DUPLICATES CMAKE_INSTALL_RPATH)

add_library(lkl_flags INTERFACE)
target_compile_options(lkl_flags INTERFACE
    -Wall -Wextra -Werror
    # perf and gdb walk through the library into the kernel and back.
    -fno-omit-frame-pointer)
if(LKL_SANITIZE)
    target_compile_options(lkl_flags INTERFACE
        # Assertions belong to looking for faults, whatever the build type.
        -fsanitize=${LKL_SANITIZE} -fno-sanitize-recover=all -UNDEBUG
        # gcc 12 sees uninitialised values in instrumented std::regex (GCC bug 105562).
        -Wno-maybe-uninitialized
        # ThreadSanitizer does not follow fences, and gcc warns of each. Ours order a store
        # and a load of one thread (fences.hpp), and no data is handed over by them alone.
        $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
    target_link_options(lkl_flags INTERFACE -fsanitize=${LKL_SANITIZE})
    if(LKL_SANITIZE MATCHES thread)
        # Of readv(2) into arrays, as gcc 12 sees instrumented code.
        target_compile_options(lkl_flags INTERFACE -Wno-stringop-overread)
    endif()
else()
    target_compile_options(lkl_flags INTERFACE
        $<$<NOT:$<COMPILE_LANGUAGE:ASM>>:-fstack-protector-strong>)
    # Fortified functions need optimisation. A target with LKL_INTERPOSES defines functions
    # of libc, as the headers of fortified ones do.
    if(NOT CMAKE_BUILD_TYPE STREQUAL Debug)
        set(fortified $<NOT:$<BOOL:$<TARGET_PROPERTY:LKL_INTERPOSES>>>)
        target_compile_options(lkl_flags INTERFACE
            $<$<NOT:$<COMPILE_LANGUAGE:ASM>>:-U_FORTIFY_SOURCE>
            $<$<AND:${fortified},$<NOT:$<COMPILE_LANGUAGE:ASM>>>:-D_FORTIFY_SOURCE=2>)
    endif()
    target_link_options(lkl_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
target_link_options(lkl_flags INTERFACE -Wl,--as-needed)
