#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lkl trace says what it lacks: words, and a kernel that has trace events.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4

make_image image 16M
mkfs.ext4 -q image

for wrong in "" "-e ext4:*" "-e ext4:* run true" "--list ls image:" "-P 1 -e a ls image:"; do
    # shellcheck disable=SC2086  # words
    run 1 "$LKL_BIN/lkl" trace $wrong
    says_one_line
done

# Not the kernel under test, which may have them.
LKL_KERNEL_IMAGE=$LKL_BUILD/lib/lkl/vmlinux run 7 "$LKL_BIN/lkl" trace -e 'ext4:*' ls image:
says_one_line
grep -q 'no trace events' stderr || fail "says: $(cat stderr)"
