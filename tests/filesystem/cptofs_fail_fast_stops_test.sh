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
e2fsck -fn image >/dev/null || fail "the image is not clean"
run 10 "$LKL_BIN/cptofs" -i image source/gone source/one /
[ "$(debugfs -R 'cat one' image 2>/dev/null)" = one ] || fail "the rest was not copied"
