#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The disk below a sparse image is full: nothing is said to be written that is not.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 python3
need_root

mkdir small source
mount -t tmpfs -o size=12M none small
head -c 30000000 /dev/urandom >source/large
truncate -s 64M small/image
mkfs.ext4 -q -O ^has_journal small/image
code=0
"$LKL_BIN/cptofs" -i small/image source / 2>stderr || code=$?
cat stderr >&2
[ "$code" = 6 ] || [ "$code" = 10 ] || fail "exit code $code"
grep -q "Input/output error\|No space left" stderr || fail "no reason is given"
