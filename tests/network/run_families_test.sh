#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Under lkl run each family of sockets belongs to whom the table of docs/run.md says: those
# that would lead past the program's own network are refused, however the call is made, and
# one line for each says so.
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=tests/support/program.sh
. "$here/../support/program.sh"
need /usr/bin/python3

cat >families.py <<'PY'
import ctypes, errno, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def outcome(made):
    if made >= 0:
        return "made"
    return errno.errorcode[ctypes.get_errno()]
def call(family):
    """By libc's function, by its function for any call, and a pair."""
    ends = (ctypes.c_int * 2)()
    return {outcome(libc.socket(family, kind, 0)) for kind in (1, 2, 3, 5)}, \
        outcome(libc.syscall(41, family, 3, 0)), outcome(libc.socketpair(family, 1, 0, ends))
for family in range(47):
    print(family, *call(family))
# Those of netlink that are the host's, and one that is ours.
for protocol in (0, 9, 15):
    print("netlink", protocol, outcome(libc.socket(socket.AF_NETLINK, 3, protocol)))
PY
"$LKL_BIN/lkl" run --net none -- /usr/bin/python3 -B families.py >ours 2>lines || fail "$(cat lines)"

# The last row of the table is all others.
# shellcheck disable=SC2016  # no command
kept=$(sed -n 's/^| `AF_[^|]*| \([0-9, ]*\) |.*/\1/p' "$LKL_SOURCE/docs/run.md" | tr -d ' ' |
    tr ',' '\n' | sort -n)
[ "$(echo "$kept" | wc -l)" = 6 ] || fail "docs/run.md has no such table: $kept"
seq 0 46 | grep -vxF "$kept" >refused
while read -r family; do
    grep -qx "$family {'EAFNOSUPPORT'} EAFNOSUPPORT EAFNOSUPPORT" ours ||
        fail "family $family: $(grep "^$family " ours)"
done <refused
# 0 is no family, and 46 none that the C library knows.
sed -n 's/^lkl run: sockets of family \([0-9]*\) would lead past .*/\1/p' lines >told
diff told <(grep -vx -e 0 -e 46 refused) || fail "not told, or told twice: $(cat lines)"
# AF_ALG is the host's, which need not have it.
while read -r family; do
    grep "^$family .*'made'" ours >/dev/null || fail "family $family: $(grep "^$family " ours)"
done <<<"$(grep -vx 38 <<<"$kept")"
grep -q "^1 .* made$" ours || fail "no pair of UNIX sockets"
[ "$(grep -c '^netlink .* made' ours)" -ge 2 ] || fail "netlink: $(grep netlink ours)"
