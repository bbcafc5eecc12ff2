#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A file that is replaced is a new one: neither what a symbolic link in the image points
# to nor the other names of a file change. A symbolic link is no directory to go
# through; one that leads out of the image, as a destination, stays in it.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 debugfs

mkdir -p before/dir/precious source/dir/link
echo precious >before/dir/precious/file
ln -s precious before/dir/link
ln -s precious/file before/dir/target
ln -s /../../../../tmp before/out
mkdir before/tmp
echo new >source/dir/target
echo new >source/dir/link/file
make_image image 8M
mkfs.ext4 -q -d before image
run 10 "$LKL_BIN/cptofs" -i image source/dir /
says "dir/link: cannot replace a file by a directory"
says "1 failure"
[ "$(debugfs -R 'cat dir/precious/file' image 2>/dev/null)" = precious ] || fail "it was followed"
[ "$(debugfs -R 'cat dir/target' image 2>/dev/null)" = new ] || fail "it was not replaced"
run 0 "$LKL_BIN/cptofs" -i image source/dir/target /out
[ "$(debugfs -R 'cat tmp/target' image 2>/dev/null)" = new ] || fail "not in the image's /tmp"
[ ! -e /tmp/target ] || fail "it went to the host"
