#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# -o: an option that the file system has is used, one that it has not is refused.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.vfat mcopy mkfs.ext4 tar

make_image image 15M
mkfs.vfat image >/dev/null
echo x >file
mcopy -i image file ::/
run 0 "$LKL_BIN/fs2tar" -o uid=1234,gid=4321,fmask=0177,noatime image archive.tar
tar --numeric-owner -tvf archive.tar file >list
grep -q '^-rw------- 1234/4321 ' list || fail "$(cat list)"

rm archive.tar
run 3 "$LKL_BIN/fs2tar" -o nonsense=1 image archive.tar
says "cannot mount as vfat"
says_one_line
no_archive archive.tar
