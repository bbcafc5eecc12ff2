#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Every function that the C interface's headers declare is a real symbol of both libraries:
# none is a macro or inline alone, and the shared library shows them all.
#
# LKL_INCLUDE, LKL_LIB: the build's headers and libraries.
# shellcheck source=tests/support/shell.sh
. "$(dirname "$0")/../support/shell.sh"
need nm

: "${LKL_INCLUDE:?}" "${LKL_LIB:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# declared HEADER...: the names behind LKL_API, which may be on the line before.
declared() {
    (cd "$LKL_INCLUDE" && cat "$@") | tr '\n' ' ' | grep -oE 'LKL_API [^;]*;' |
        grep -oE '\blkl_[a-z0-9_]+ *[(;]' | sed -E 's/ *[(;]$//' | sort -u
}

declared lkl/syscalls.h lkl/legacy.h | grep '^lkl_sys_' >"$work/calls"
declared lkl.h lkl_host.h lkl_config.h lkl/interfaces.h lkl/legacy.h lkl/netdev.h \
    lkl/syscalls.h >"$work/declared"
count=$(wc -l <"$work/calls")
[ "$count" -gt 300 ] || fail "only $count system calls are declared"

# symbols [-D] FILE: the names that it defines, without their version.
symbols() {
    nm --defined-only "$@" 2>/dev/null | sed -nE 's/^[0-9a-f]+ [TDB] ([^@]+).*/\1/p' | sort -u
}
symbols -D "$LKL_LIB/liblkl.so" >"$work/shared"
symbols "$LKL_LIB/liblkl.a" >"$work/static"
for library in shared static; do
    missing=$(comm -23 "$work/declared" "$work/$library")
    [ -z "$missing" ] || fail "not in the $library library: $(tr '\n' ' ' <<<"$missing")"
done
# Nothing is shown that no header declares.
extra=$(grep '^lkl_sys_' "$work/shared" | comm -23 - "$work/declared")
[ -z "$extra" ] || fail "declared nowhere: $(tr '\n' ' ' <<<"$extra")"
echo "$count system calls, $(wc -l <"$work/declared") names"
