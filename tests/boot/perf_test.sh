#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# perf names the functions of the kernel, and leads from them to the program.
# ctest: SERIAL
# shellcheck source-path=SCRIPTDIR source=../support/program.sh
. "$LKL_SOURCE/tests/support/program.sh"
need perf cc
[ -z "$LKL_SANITIZE" ] || skip "a program with sanitizers is not one to measure"
perf record -q -o probe true 2>probe.log || skip "the host permits no perf: $(tail -n 1 probe.log)"
build_program "$LKL_SOURCE/tests/boot/debug_program.c"

perf record -q -F 2000 -o flat ./program work
perf report -i flat --stdio --sort dso,symbol 2>/dev/null >flat.log
expect flat.log "vmlinux[-a-z]* +\[\.\] "
for function in vfs_read lkl_syscall; do
    expect flat.log "vmlinux[-a-z]* +\[\.\] .*$function|vmlinux[-a-z]* +\[\.\] .*pread64"
done
# What is in the image has a name.
unknown=$(grep -cE 'vmlinux[-a-z]* +\[\.\] 0x' flat.log || true)
[ "$unknown" = 0 ] || { cat flat.log; fail "$unknown addresses without a name"; }

perf record -q -g -F 2000 -o graph ./program work
perf script -i graph -F ip,sym 2>/dev/null >graph.log
# Of each sample one line: the functions from the innermost on.
awk '/^$/ { print line; line = ""; next } { line = line " " $2 }' graph.log >chains.log
inside=$(grep -c ' lkl_syscall' chains.log || true)
whole=$(grep -cE ' (vfs_read|[a-z_]*pread64) .* lkl_syscall .* lkl_call_on_stack .* work main' \
    chains.log || true)
echo "$inside samples in system calls, $whole of them lead from a read to main()"
if [ "$whole" -le 10 ] || [ $((whole * 2)) -le "$inside" ]; then
    head -n 40 chains.log
    fail "no call graph"
fi
