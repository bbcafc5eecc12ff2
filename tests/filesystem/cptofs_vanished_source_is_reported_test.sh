#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A source that is not there, or cannot be read to its end: named, the exit code tells,
# the rest is copied. A pattern without a match is the same.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 debugfs

mkdir source
echo one >source/one
make_image image 8M
mkfs.ext4 -q image
run 10 "$LKL_BIN/cptofs" -i image source/gone source/one nowhere/file '*.none' /
says "source/gone: cannot stat gone: No such file or directory"
says "nowhere/file: cannot open nowhere/"
says "*.none: nothing matches"
says "3 failures: not everything was copied"
[ "$(debugfs -R 'cat one' image 2>/dev/null)" = one ] || fail "the rest was not copied"
# None of them.
run 8 "$LKL_BIN/cptofs" -i image source/gone /
says_one_line
run 8 "$LKL_BIN/cptofs" -i image source/gone source/one/ '*.none' /

# A file that says it is longer than it is.
need python3
[ -r /proc/self/mem ] || skip "no /proc"
run 10 "$LKL_BIN/cptofs" -i image /proc/self/mem source/one /
says "/proc/self/mem: cannot read at byte 0"
debugfs -R 'stat mem' image 2>&1 | grep -q "File not found" || fail "a part of the file is there"
# And one that says it is empty, and is not.
run 0 "$LKL_BIN/cptofs" -q --no-xattrs -i image /proc/version /
debugfs -R 'cat version' image 2>/dev/null | cmp - /proc/version || fail "it was taken for empty"
