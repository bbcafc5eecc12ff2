#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# On a terminal: how much is done and how long it will take; the line goes away at the end.
# With -q, and without a terminal, nothing.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 script tr

make_image image 800M
mkfs.ext4 -q image
mkdir source
for i in 1 2 3; do
    head -c 200M /dev/zero | tr '\0' x >source/$i
done
copy="$LKL_BIN/cptofs -i image source /"
script -qec "$copy" output >/dev/null </dev/null || fail "cptofs: $(cat output)"
tr '\r' '\n' <output >lines
grep -qE '[0-9]+% \[#+\.*\] .*MiB, [0-9]+ files' lines || fail "no progress: $(head -c 2000 lines)"
grep -aq $'files.*\r\033\\[K$' output || fail "the line stays: $(tail -c 500 output)"
script -qec "$copy -q" quiet >/dev/null </dev/null || fail "cptofs -q: $(cat quiet)"
! grep -q files quiet || fail "-q: $(cat quiet)"
$copy 2>error || fail "cptofs: $(cat error)"
[ ! -s error ] || fail "without a terminal: $(cat error)"
