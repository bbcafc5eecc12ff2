#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An ext4 image whose inode table is overwritten in the middle: exit code 5, a line
# that names the file, no archive.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 debugfs

mkdir -p source/directory
seq 2000 | sed 's|.*|source/directory/&|' | xargs touch
make_image image 16M
mkfs.ext4 -q -O metadata_csum -d source image
# The block that holds one file's inode.
block=$(debugfs -R 'imap directory/1500' image 2>/dev/null | sed -n 's/.*located at block \([0-9]*\),.*/\1/p')
[ -n "$block" ] || fail "debugfs does not find the inode"
size=$(dumpe2fs -h image 2>/dev/null | sed -n 's/^Block size: *//p')
head -c "$size" /dev/urandom | dd of=image bs="$size" seek="$block" conv=notrunc status=none

before=$(digest image)
run 5 "$LKL_BIN/fs2tar" image archive.tar
says "image: directory/"
says_one_line
no_archive archive.tar
[ "$(digest image)" = "$before" ] || fail "fs2tar changed the image"
