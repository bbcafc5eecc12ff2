#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The way to a defect that chance alone would not find (arch/lkl/kernel/planted_bug.c): the
# kernel's coverage leads to it within a minute. `make test-fuzz` has the kernel for that.
set -euo pipefail

# shellcheck source=tests/support/program.sh
. "$LKL_SOURCE/tests/support/program.sh"

target=$LKL_BUILD/fuzz/system_calls
[ -x "$target" ] || skip "no clang: there are no fuzz targets"
image=${LKL_KERNEL_IMAGE:-$LKL_LIB/lkl/vmlinux}
grep -qa lkl_planted_bug "$image" || skip "the kernel has no coverage and no planted bug"

mkdir corpus
fuzz()
{
    LKL_KERNEL_IMAGE=$image LKL_FUZZ_COMMAND_LINE=$1 timeout 100 "$target" -seed=1 -max_len=256 \
        -timeout=60 -artifact_prefix="$work/" "${@:2}"
}

start=$(date +%s)
status=0
fuzz lkl_planted_bug -max_total_time=60 corpus "$LKL_BUILD/fuzz/seeds/system_calls" >log 2>&1 ||
    status=$?
[ $status -ne 0 ] || { tail -5 log; fail "not found in a minute"; }
grep -q '^==LKL== the kernel panicked' log || { tail -50 log; fail "not told as it should be"; }
grep -q 'planted_write' log || { tail -50 log; fail "another bug was found"; }
echo "found after $(($(date +%s) - start)) s"

# The input alone brings it back; without the bug it does no harm.
crash=$(compgen -G "$work/crash-*") || fail "no artefact"
status=0
fuzz lkl_planted_bug "$crash" >again 2>&1 || status=$?
[ $status -ne 0 ] || fail "the artefact does nothing"
grep -q 'planted_write' again || fail "the artefact finds another bug"
fuzz '' "$crash" >sound 2>&1 || { tail -50 sound; fail "a bug without the planted one"; }
