#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A program and its kernel run under valgrind from start to halt, without a word about
# either.
# ctest: TIMEOUT=600
# shellcheck source-path=SCRIPTDIR source=../support/program.sh
. "$LKL_SOURCE/tests/support/program.sh"
need valgrind cc
[ -z "$LKL_SANITIZE" ] || skip "valgrind and sanitizers exclude each other"
[ "$(checkers_mib)" = 0 ] || skip "checkers walk stacks word by word, unused ones too"
if grep -aq 'clang version' "${LKL_KERNEL_IMAGE:-/dev/null}"; then
    skip "valgrind 3.19 cannot read the debug information that clang writes for the kernel"
fi
build_program "$LKL_SOURCE/tests/boot/debug_program.c"
suppressions=--suppressions=$LKL_SOURCE/tools/valgrind/lkl.supp
valgrind "$suppressions" --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite \
    ./program >valgrind.log 2>&1 || { cat valgrind.log; fail "valgrind: status $?"; }
expect valgrind.log "ERROR SUMMARY: 0 errors"
! grep -q "client switching stacks" valgrind.log || { cat valgrind.log; fail "stacks are mixed up"; }

# It would have seen a fault of the program's: one in memory that the kernel is given.
cat >wrong.c <<'EOF'
#include <stdlib.h>
#include <lkl.h>
int main(void)
{
    lkl_init(&lkl_host_ops);
    lkl_start_kernel("mem=64M");
    char *byte = malloc(1);
    long fd = lkl_sys_open("/f", LKL_O_RDWR | LKL_O_CREAT, 0600);
    lkl_sys_pwrite64((unsigned)fd, byte + 1, 1, 0);
    return lkl_sys_halt() != 0;
}
EOF
build_program wrong.c
valgrind "$suppressions" --error-exitcode=9 ./program >wrong.log 2>&1 && { cat wrong.log; fail "nothing found"; }
expect wrong.log "Invalid read of size 1" "main"
