#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Each header compiles alone: check-headers.sh BUILD, a build directory with the generated
# headers. Prints the compiler's words on those that do not; exit code 1 if there is one.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1

packages=(blkid fuse3 fdisk libarchive liburing libseccomp ext2fs uuid zlib)
pkg-config --exists --print-errors "${packages[@]}"
mapfile -t flags < <(pkg-config --cflags-only-I "${packages[@]}" | tr ' ' '\n' | sed '/^$/d; s/^-I/-isystem/')
# Here each header is the main file: its own "#pragma once" is none of an include, and its
# constants have no user.
flags+=(-I"$build/uapi/generated/include" -I"$build/uapi/generated/source"
    -Iinclude -Isrc -Itools -Itests -Iarch/lkl/include/shared -Ifuzz
    -D_GNU_SOURCE -DFUSE_USE_VERSION=312 -DLKL_VERSION='""'
    -std=c++20 -Wall -Wextra -Werror -Wno-pragma-once-outside-header -Wno-unused-const-variable -fsyntax-only)

git ls-files 'include/*.h' '*.hpp' arch/lkl/include/shared |
    xargs -P "$(nproc)" -n 1 "${CLANGXX:-clang++}" "${flags[@]}" -x c++
