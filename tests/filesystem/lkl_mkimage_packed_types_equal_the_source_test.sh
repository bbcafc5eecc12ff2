#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# SquashFS, of the directory and as a stream, and EROFS: the host's kernel sees what they
# hold of every odd file. SquashFS has no ACLs; neither has holes worth the name.
# shellcheck source=tests/filesystem/lkl_mkimage.sh
. "$(dirname "$0")/lkl_mkimage.sh"
need mksquashfs mkfs.erofs setfattr python3 tar
need_root
need_host_filesystem squashfs

# mkfs.erofs 1.5 looks for names of 255 bytes elsewhere, and both open files by their paths.
fill_odd source --without deep --without huge --without longest-names --without old \
    --without nanoseconds
find source -exec touch -h -d '2021-03-04 05:06:08 UTC' {} +
squashfs=(--ignore stored --ignore attributes:system.posix_acl_)
run 0 mkimage -q --fs squashfs source image
image_equals image source "${squashfs[@]}"

# As a stream: of the top directory the permissions alone are kept, which is told.
setfattr -n user.top -v x source
chown 5:6 source
run 0 mkimage --fs squashfs -x nothing-like-this source image
says "top directory to root, not to 5:6"
says "extended attributes of the top directory"
says "odd/special/socket: socket: left out"
host_mount image seen ro
compare_trees source/odd/attributes seen/odd/attributes "${squashfs[@]}" --leave-out odd-names
compare_trees source/odd/links seen/odd/links "${squashfs[@]}"
compare_trees source/odd/sparse seen/odd/sparse "${squashfs[@]}"
compare_trees source/odd/owners seen/odd/owners "${squashfs[@]}"
compare_trees source/odd/names seen/odd/names "${squashfs[@]}"
umount seen
setfattr -x user.top source
chown 0:0 source

if grep -qw erofs /proc/filesystems || modprobe -q erofs; then
    run 0 mkimage -q --fs erofs source image
    check_made erofs image
    image_equals image source --ignore stored
fi
