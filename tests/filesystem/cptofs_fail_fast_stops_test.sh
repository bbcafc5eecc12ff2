#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# --fail-fast: the first failure ends the copy; without it, the rest follows.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 debugfs e2fsck

mkdir source
echo one >source/one
make_image image 8M
mkfs.ext4 -q image
run 8 "$LKL_BIN/cptofs" --fail-fast -i image source/gone source/one /
says "source/gone: cannot stat"
says_one_line
debugfs -R 'stat one' image 2>&1 | grep -q "File not found" || fail "it went on"
check_clean ext4 image
# What is there by then is as it should be.
chmod 751 source
head -c 20000000 /dev/urandom >source/large
run 6 "$LKL_BIN/cptofs" --fail-fast -i image source /
says "source/large: cannot write at byte"
says_one_line
rm source/large
debugfs -R 'stat source' image 2>/dev/null | grep -q 'Mode:  0751' || fail "the directory's mode"
run 10 "$LKL_BIN/cptofs" -i image source/gone source/one /
[ "$(debugfs -R 'cat one' image 2>/dev/null)" = one ] || fail "the rest was not copied"
