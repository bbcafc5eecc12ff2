#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every type, made by a user without any rights, whose PATH has no sbin.
# shellcheck source=tests/filesystem/lkl_mkimage.sh
. "$(dirname "$0")/lkl_mkimage.sh"
need setpriv python3
need_root

plain_tree source
chmod 755 .
mkdir -m 777 out
for type in ext2 ext3 ext4 xfs btrfs f2fs nilfs2 jfs vfat exfat ntfs udf squashfs erofs; do
    if [ $type = btrfs ] && grep -q ^/dev/loop /proc/mounts; then
        echo "mkfs.btrfs must look at the loop devices that are mounted now, and may not"
        continue
    fi
    run 0 as_nobody env PATH=/usr/bin:/bin "$LKL_BIN/lkl" mkimage --fs "$type" source \
        "out/$type.image"
    [ ! -s stderr ] || fail "$type: it says something"
    [ "$(stat -c %U "out/$type.image")" = nobody ] || fail "$type: whose is it?"
    check_made "$type" "out/$type.image"
    [ "$type" = ext4 ] || rm "out/$type.image"
done
# Owners are those of the source all the same.
if grep -qw ext4 /proc/filesystems; then
    image_equals out/ext4.image source
fi
run 0 as_nobody env PATH=/usr/bin:/bin "$LKL_BIN/lkl" mkimage --gpt \
    --partition fs=ext4,source=source --partition fs=swap,size=1M out/disk.image
