#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# File systems that take upper and lower case for the same because of how they were made:
# what is known of a name in one spelling goes when it is changed in another one.
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"
need mkfs.xfs mkfs.ext4 mkfs.f2fs mkfs.jfs chattr
need_root

# names_fold TYPE COMMAND...: in an image that the command makes.
names_fold() {
    local type=$1
    shift
    rm -f image
    make_image image 320M
    "$@" >/dev/null
    fuse_start image mount -o "type=$type"
    mkdir mount/names
    case $type in ext4 | f2fs) chattr +F mount/names ;; esac
    fuse_names_fold mount/names
    fuse_stop mount
}

names_fold xfs mkfs.xfs -q -n version=ci image
check_clean xfs image
names_fold ext4 mkfs.ext4 -q -O casefold image
check_clean ext4 image
names_fold f2fs mkfs.f2fs -q -O casefold -C utf8 image
names_fold jfs mkfs.jfs -q -O image
