#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# KASAN's own KUnit suite, on the kernel that has it.
# ctest: TIMEOUT=900
# shellcheck source-path=SCRIPTDIR source=../support/program.sh
. "$LKL_SOURCE/tests/support/program.sh"
image=${LKL_KERNEL_IMAGE:-$LKL_LIB/lkl/vmlinux}
[[ $image == *-kasan ]] || skip "this is not the kernel with KASAN"

# Its faults are reports, of which the kernel complains when it is halted.
"$LKL_BIN/lkl-boot" -m 512 --seconds 300 -a 'kunit.enable=1 kunit.filter_glob=kasan* kunit_shutdown=halt' "$image" \
    >log || true
expect log 'KTAP version 1' '# Subtest: kasan' 'ok [0-9]+ kasan'
! grep -E '(^|] ) *not ok [0-9]+ ' log || { grep -E 'EXPECTATION|ASSERTION' log; fail "not all pass"; }
passed=$(grep -E '(^|] )    ok [0-9]+ ' log | grep -vc '# SKIP') || true
[ "$passed" -ge 61 ] || fail "$passed cases alone were run"
