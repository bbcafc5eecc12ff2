#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lkl info: a file system without a journal that was in use when power went is not called clean,
# by the word of its own superblock; nor is one in which its kernel has found an error.
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"
need mkfs.ext2 mkfs.ext4 mkfs.fat mkfs.exfat mkfs.ntfs mkfs.jfs mkfs.minix debugfs
need_root

# state_is TEXT IMAGE [OPTIONS]
state_is() {
    local expected=$1
    shift
    run 0 "$LKL_BIN/lkl" info "$@" >told
    grep -qE "  $expected\$" told || fail "$name is not told as \"$expected\": $(cat told)"
}

mkdir mount
while read -r name size command; do
    make_image "$name" "$size"
    $command "$name" >/dev/null
    state_is clean "$name"
    fuse_start "$name" mount
    echo data >mount/file
    sync mount/file
    kill -9 "$server"
    wait "$server" || true
    umount mount
    before=$(digest "$name")
    state_is "not cleanly unmounted" "$name"
    [ "$(digest "$name")" = "$before" ] || fail "$name was changed"
    rm "$name"
done <<'END'
ext2 16M mkfs.ext2 -q
fat12 2M mkfs.fat -F 12
fat16 64M mkfs.fat -F 16
fat32 64M mkfs.fat -F 32 -s 1
exfat 16M mkfs.exfat
ntfs 16M mkfs.ntfs -q -F -Q
jfs 32M mkfs.jfs -q
minix1 16M mkfs.minix -1
minix2 16M mkfs.minix -2
END

name=ext4
make_image $name 16M
mkfs.ext4 -q $name
debugfs -w -R 'set_super_value state 3' $name 2>/dev/null
state_is "has errors" $name
