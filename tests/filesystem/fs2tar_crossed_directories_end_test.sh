#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A directory that contains itself, or has two names: an error, not an endless
# archive.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 debugfs

mkdir -p source/a/x source/b/y
touch source/a/x/file source/b/y/file
make_image plain 8M
mkfs.ext4 -q -d source plain

cp plain image
debugfs -w -R 'ln a a/x/loop' image 2>/dev/null
run 5 timeout 60 "$LKL_BIN/fs2tar" image archive.tar
says "image: a/x/loop"
says_one_line
no_archive archive.tar

cp plain image
debugfs -w -R 'ln a/x b/y/again' image 2>/dev/null
run 5 timeout 60 "$LKL_BIN/fs2tar" image archive.tar
says "image: b/y/again/: is linked twice"
says_one_line
no_archive archive.tar
