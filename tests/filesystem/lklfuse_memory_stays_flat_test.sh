#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The memory and the descriptors of the server, while much data goes through it and a
# tree of many files is walked, written and removed. LKL_TEST_COPIES: of 256 MiB (2).
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"
need mkfs.ext4 python3
need_root
[ -z "$LKL_SANITIZE" ] || skip "sanitizers take memory of their own"
[ "$(checkers_mib)" = 0 ] || skip "the kernel checks itself, and touches all memory"

make_image image 2G
mkfs.ext4 -q -N 60000 image
fuse_start image mount

most=0
measure() {
    local size
    size=$(awk '/^VmRSS/ { print $2 }' /proc/$server/status)
    [ "$size" -le "$most" ] || most=$size
    [ "$size" -le $((150 * 1024)) ] || fail "$1: $size KiB are resident"
    local files
    files=$(find /proc/$server/fd | wc -l)
    [ "$files" -le 40 ] || fail "$1: $files descriptors are open"
}

head -c 268435456 /dev/urandom >source
for ((copy = 0; copy < ${LKL_TEST_COPIES:-2}; copy++)); do
    cp source mount/copy
    measure "copy in"
    cmp source mount/copy || fail "the copy differs"
    measure "copy out"
    rm mount/copy
done
python3 -c 'import os
for directory in range(20):
    os.mkdir(f"mount/{directory}")
    for number in range(1000):
        os.close(os.open(f"mount/{directory}/{number}", os.O_CREAT | os.O_WRONLY))'
measure "20,000 files"
find mount -type f -newermt 1990-01-01 | wc -l
measure "walk"
rm -rf mount/*
measure "removal"
echo "$most KiB at most"
fuse_stop mount
check_clean ext4 image
