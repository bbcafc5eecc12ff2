#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Times of access, in nanoseconds, before 1970 and after 2038, get into an image and out of it
# by each tool that copies, as they were before the tool read the files.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 e2fsck tar python3
need_root
need_host_filesystem ext4

# A host's file system that notes each look at a file, and holds all of the times.
make_image disk 64M
mkfs.ext4 -q -I 256 disk
host_mount disk host strictatime

make_source() {
    rm -rf host/source
    mkdir host/source
    python3 -B "$here/access_times.py" make host/source
}

# check_times DIRECTORY WHO
check_times() {
    python3 -B "$here/access_times.py" check "$1" || fail "$2: times of access differ"
}

# check_image WHO: those that the host sees in the image.
check_image() {
    check_clean ext4 image
    host_mount image seen ro
    check_times "seen" "$1"
    umount seen
}

fresh_image() {
    rm -f image
    make_image image 16M
    mkfs.ext4 -q -I 256 image
}

make_source
check_times host/source "the test itself"

fresh_image
run 0 "$LKL_BIN/cptofs" -q -i image host/source/. /
check_image cptofs

make_source
fresh_image
run 0 "$LKL_BIN/lkl" -q cp -r host/source/* image:/
check_image "lkl cp"
# The image is as it was for the next ones.
mkdir host/out host/cp
run 0 "$LKL_BIN/cpfromfs" -q -i image /. host/out
check_times host/out cpfromfs
run 0 "$LKL_BIN/lkl" -q cp -r 'image:/*' host/cp
check_times host/cp "lkl cp out of an image"
run 0 "$LKL_BIN/fs2tar" -q image image.tar
check_image "what reads an image"

make_source
rm image
run 0 "$LKL_BIN/lkl" -q mkimage --fs ext4 host/source image
check_image "lkl mkimage"
make_source
rm image
run 0 "$LKL_BIN/lkl" -q mkimage --fs xfs --size 300M host/source image
mkdir host/xfs
run 0 "$LKL_BIN/cpfromfs" -q -i image /. host/xfs
check_times host/xfs "lkl mkimage of XFS"

fresh_image
run 0 "$LKL_BIN/tar2fs" -q image.tar image
check_image "fs2tar and tar2fs"
make_source
tar -C host/source --format=pax -cf source.tar .
fresh_image
run 0 "$LKL_BIN/tar2fs" -q source.tar image
check_image "tar2fs of GNU tar's archive"
