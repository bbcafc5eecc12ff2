#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A kernel image that is not there, or that may not be read: exit code 7 and the reason,
# which is not that of the sandbox.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 mkfs.fat

small_image image
export LKL_KERNEL_IMAGE=$work/nowhere
reason="cannot start the kernel: kernel image $LKL_KERNEL_IMAGE: No such file or directory"
# check TOOL ARGUMENTS...
check() {
    local tool=$1
    shift
    run 7 "$LKL_BIN/$tool" "$@"
    says "$reason"
    says_one_line
}
check fs2tar image archive.tar
no_archive archive.tar
check cpfromfs -i image /one .
check cptofs -i image image /
check lkl ls image
mkdir source
echo 1 >source/file
check lkl mkimage --fs vfat source made
[ ! -e made ] || fail "an image was made"
[ "$(id -u)" != 0 ] || check lklfuse image source

: >empty
LKL_KERNEL_IMAGE=$work/empty
reason="kernel image $LKL_KERNEL_IMAGE: not an ELF file"
check fs2tar image archive.tar
