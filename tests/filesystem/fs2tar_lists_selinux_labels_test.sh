#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# -s writes a line with path and label for each file that has one, links too.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 tar setfattr
need_root
need_host_filesystem ext4

make_image image 16M
mkfs.ext4 -q image
host_mount image host
mkdir host/etc
echo 1 >host/etc/passwd
echo 2 >host/etc/none
ln host/etc/passwd host/etc/again
ln -s passwd host/etc/symlink
echo 3 >$'host/new\nline'
label=system_u:object_r:etc_t:s0
setfattr -n security.selinux -v "$label" host/etc
setfattr -n security.selinux -v "$label" host/etc/passwd
setfattr -h -n security.selinux -v "$label" host/etc/symlink
setfattr -n security.selinux -v "$label" $'host/new\nline'
umount host

run 0 "$LKL_BIN/fs2tar" -s labels image archive.tar
{
    echo "etc/ $label"
    echo "etc/again $label"
    echo "etc/passwd $label"
    echo "etc/symlink $label"
    echo "new\\012line $label"
} | sort >expected
sort labels | diff expected - || fail "the list is wrong"

run 6 "$LKL_BIN/fs2tar" -s /dev/full image archive2.tar
says "/dev/full: cannot write the labels"
no_archive archive2.tar
