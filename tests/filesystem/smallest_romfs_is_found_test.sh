#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A romfs of a few files has 1024 bytes, which is less than libblkid looks at.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need genromfs

mkdir tree
for name in one two three; do
    echo "$name" >tree/$name
done
genromfs -f image -d tree -V label
[ "$(stat -c %s image)" -le 1024 ] || fail "it is not so small"
run 0 "$LKL_BIN/lkl" ls image >names
printf '%s\n' one three two | diff - names || fail "other files are there"
[ "$("$LKL_BIN/lkl" cat image:/three)" = three ] || fail "what is in it"
run 0 "$LKL_BIN/lkl" info image >actual
grep -q 'romfs.*label' actual || fail "info: $(cat actual)"
# What is none is not taken for one.
head -c 1024 /dev/urandom >noise
run 3 "$LKL_BIN/lkl" ls noise
says "no file system found"
