#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A kernel that dies is a finding: the input is kept as libFuzzer's artefact, the kernel's
# log is told, and the input alone gives the same again. A kernel that is asked to panic
# on an error of ext4 stands for one with a defect: the image says so in its superblock.
set -euo pipefail

# shellcheck source=tests/support/program.sh
. "$LKL_SOURCE/tests/support/program.sh"

fuzz=$LKL_BUILD/fuzz
[ -x "$fuzz/ext4" ] || skip "no clang: there are no fuzz targets"
need mkfs.ext4 tune2fs
export LKL_FUZZ_BASES=$work/bases LKL_KERNEL_IMAGE=${LKL_KERNEL_IMAGE:-$LKL_LIB/lkl/vmlinux}
mkdir bases source corpus
mkdir source/dir
echo text >source/dir/b
truncate -s 4M bases/ext4-0.img
mkfs.ext4 -q -F -b 1024 -O '^metadata_csum' -E lazy_itable_init=0 -d source bases/ext4-0.img
tune2fs -e panic bases/ext4-0.img >log

# Nothing is changed: nothing happens. Base 0, no options, no changes, a walk.
printf '\0\0\0\011\002' >sound
"$fuzz/ext4" sound >log 2>&1 || { cat log; fail "a sound image is a finding"; }

# libFuzzer finds it by itself.
mv sound corpus
status=0
timeout 100 "$fuzz/ext4" -max_total_time=60 -seed=1 -max_len=256 -artifact_prefix="$work/" corpus \
    >log 2>&1 || status=$?
[ $status -ne 0 ] || { tail -5 log; fail "nothing found in a minute"; }
grep -q '^==LKL== the kernel panicked' log || { tail -50 log; fail "not told as it should be"; }
grep -q 'Kernel panic' log || fail "the kernel's log is missing"
crash=$(compgen -G "$work/crash-*") || fail "no artefact"

# And the artefact alone brings it back, in another process.
status=0
"$fuzz/ext4" "$crash" >again 2>&1 || status=$?
[ $status -ne 0 ] || fail "the artefact does nothing"
[ "$(grep -m1 -o 'Kernel panic.*' log)" = "$(grep -m1 -o 'Kernel panic.*' again)" ] ||
    fail "another panic"
