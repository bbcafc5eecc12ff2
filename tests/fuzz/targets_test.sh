#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# ctest: CASES
# Every fuzz target takes its seeds, and goes on from them for a while: 3 seconds, those of
# rarer file systems 1, or LKL_FUZZ_SECONDS.
#
# The seeds are sound, and find nothing. What is found afterwards is a defect of Linux, and no
# failure; that the target tells of it as it should is another test.
set -euo pipefail

if [ "${1:-}" = --list ]; then
    printf '%s\n' ext4 xfs btrfs f2fs vfat exfat ntfs3 squashfs erofs iso9660 system_calls \
        frames hid jfs nilfs2 udf hfs gfs2 ocfs2 reiserfs minix cramfs romfs ufs bfs
    exit
fi
target=$2

# shellcheck source=tests/support/program.sh
. "$LKL_SOURCE/tests/support/program.sh"

fuzz=$LKL_BUILD/fuzz
[ -x "$fuzz/$target" ] || skip "no clang: there are no fuzz targets"
export LKL_FUZZ_BASES=$fuzz/bases LKL_KERNEL_IMAGE=${LKL_KERNEL_IMAGE:-$LKL_LIB/lkl/vmlinux}
[ "$target" != hid ] || grep -qa lkl_planted_bug "$LKL_KERNEL_IMAGE" ||
    skip "the kernel has no input devices: make test-fuzz"

case $target in
jfs | nilfs2 | udf | hfs | gfs2 | ocfs2 | reiserfs | minix | cramfs | romfs | ufs | bfs) seconds=1 ;;
*) seconds=3 ;;
esac
"$fuzz/$target" -runs=0 -timeout=60 -artifact_prefix="$work/" "$fuzz/seeds/$target" >log 2>&1 ||
    { tail -50 log; fail "a seed is a finding"; }
mkdir corpus
result=0
"$fuzz/$target" -max_total_time="${LKL_FUZZ_SECONDS:-$seconds}" -max_len=512 -seed=1 -timeout=60 \
    -artifact_prefix="$work/" -print_final_stats=1 corpus "$fuzz/seeds/$target" >log 2>&1 ||
    result=$?
if [ $result -ne 0 ]; then
    # Anything else, as a snapshot that is not restored, is a defect of ours.
    grep -q '^==LKL== the kernel panicked' log || { tail -50 log; fail "exit code $result, and no panic"; }
    compgen -G "$work/crash-*" >/dev/null || fail "no artefact of a finding"
    echo "a finding in Linux:"
    sed -n '/==LKL==/,$p' log | head -60
    exit 0
fi
# It would take most of the time, see fuzz/library/coverage.cpp.
! grep -q 'entropic power schedule' log || fail "libFuzzer has its own schedule"
executions=$(sed -n 's/^stat::number_of_executed_units: *//p' log)
seeds=$(find "$fuzz/seeds/$target" -type f | wc -l)
# All seeds at least.
[ "$executions" -ge "$seeds" ] || { cat log; fail "only $executions executions"; }
# The harness does the same with each of them, so that only the kernel's coverage tells one
# from another.
if grep -qa lkl_planted_bug "$LKL_KERNEL_IMAGE"; then
    kept=$(sed -n 's/.*INITED.* corp: \([0-9]*\).*/\1/p' log)
    [ "$kept" -gt 1 ] || { cat log; fail "$seeds seeds, and nothing to tell them apart by"; }
fi
echo "$executions executions, $(sed -n 's/^stat::average_exec_per_sec: *//p' log) a second"
