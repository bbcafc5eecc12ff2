#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# AFL++ drives a target for 10 seconds, or LKL_FUZZ_SECONDS, and is led by the kernel's
# coverage where the kernel tells it (`make test-fuzz`): its map has the edges of the
# harness and those of the kernel.
set -euo pipefail

# shellcheck source=tests/support/program.sh
. "$LKL_SOURCE/tests/support/program.sh"

target=$LKL_BUILD/fuzz/afl/ext4
[ -x "$target" ] || skip "no AFL++: there are no targets for it"
need afl-fuzz
export LKL_FUZZ_BASES=$LKL_BUILD/fuzz/bases LKL_KERNEL_IMAGE=${LKL_KERNEL_IMAGE:-$LKL_LIB/lkl/vmlinux}
# Whatever the machine does with core files and its clock, whichever processors are free.
export AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_AFFINITY=1
export AFL_NO_UI=1 AFL_NO_COLOR=1

# Two that do different things: a walk, and a directory's file read.
mkdir in
printf '\0\0\0\011\002' >in/walk
printf '\0\0\0' >in/mount

timeout 120 afl-fuzz -V "${LKL_FUZZ_SECONDS:-10}" -t 20000 -i in -o out -- "$target" >log 2>&1 ||
    { tail -40 log; fail "afl-fuzz: exit code $?"; }

stat()
{
    sed -n "s/^$1 *: //p" out/default/fuzzer_stats
}
executions=$(stat execs_done)
edges=$(stat edges_found)
inputs=$(stat corpus_found)
echo "$executions executions, $edges edges, $inputs new inputs"
# In one process, and the kernel put back in between.
grep -q persistent out/default/fuzzer_stats || fail "not in persistent mode"
[ "$executions" -gt 20 ] || fail "only $executions executions"

# The instrumented part of the harness has less than a hundred.
if grep -qa lkl_planted_bug "$LKL_KERNEL_IMAGE"; then
    [ "$edges" -gt 1000 ] || fail "only $edges edges: where is the kernel?"
    [ "$inputs" -gt 0 ] || fail "nothing new was found"
else
    [ "$edges" -lt 100 ] || fail "$edges edges without the kernel's"
fi
