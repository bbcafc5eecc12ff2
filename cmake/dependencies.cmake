# SPDX-License-Identifier: GPL-2.0-only
#
# Libraries of the host side. cmake/packages.txt names their packages.

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Python3 REQUIRED COMPONENTS Interpreter)

pkg_check_modules(URING REQUIRED IMPORTED_TARGET liburing)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(BLKID REQUIRED IMPORTED_TARGET blkid)
pkg_check_modules(FDISK REQUIRED IMPORTED_TARGET fdisk)
pkg_check_modules(READLINE REQUIRED IMPORTED_TARGET readline)
pkg_check_modules(ARCHIVE REQUIRED IMPORTED_TARGET libarchive)
pkg_check_modules(UUID REQUIRED IMPORTED_TARGET uuid)
pkg_check_modules(EXT2FS REQUIRED IMPORTED_TARGET ext2fs com_err)
pkg_check_modules(FUSE REQUIRED IMPORTED_TARGET fuse3)
# The version of its interface that is used, that of Debian 12.
target_compile_definitions(PkgConfig::FUSE INTERFACE FUSE_USE_VERSION=312)
find_package(ZLIB REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)

if(LKL_BUILD_TESTS)
    find_package(GTest REQUIRED)
    find_package(benchmark REQUIRED)
    # An oracle of tests alone.
    pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
endif()
