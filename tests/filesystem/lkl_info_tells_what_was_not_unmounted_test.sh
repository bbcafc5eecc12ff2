#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lkl info: a file system without a journal that was in use when power went is not called clean,
# by the word of its own superblock; nor is one in which its kernel has found an error.
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"
need mkfs.ext2 mkfs.ext4 mkfs.fat mkfs.exfat mkfs.ntfs mkfs.jfs mkfs.minix debugfs python3
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
jfs 32M mkfs.jfs -q
END

# Linux writes Minix's word when it has time.
for version in 1 2; do
    name=minix$version
    make_image $name 16M
    mkfs.minix -$version $name >/dev/null
    state_is clean $name
    printf '\0' | dd of=$name bs=1 seek=1042 conv=notrunc status=none
    state_is "not cleanly unmounted" $name
done

# Linux takes NTFS for unmounted after each sync; others set the flag of $Volume for longer.
name=ntfs
make_image $name 16M
mkfs.ntfs -q -F -Q $name 2>/dev/null
state_is clean $name
python3 - $name <<'END'
import struct, sys
with open(sys.argv[1], "r+b") as file:
    boot = file.read(512)
    cluster = struct.unpack_from("<H", boot, 11)[0] * boot[13]
    start = struct.unpack_from("<Q", boot, 48)[0] * cluster + 3 * 1024
    file.seek(start)
    record = file.read(1024)
    at = struct.unpack_from("<H", record, 20)[0]
    while struct.unpack_from("<I", record, at)[0] != 0x70:  # $VOLUME_INFORMATION
        at += struct.unpack_from("<I", record, at + 4)[0]
    at += struct.unpack_from("<H", record, at + 20)[0] + 10
    file.seek(start + at)
    file.write(b"\1")
END
state_is "not cleanly unmounted" $name

name=ext4
make_image $name 16M
mkfs.ext4 -q $name
debugfs -w -R 'set_super_value state 3' $name 2>/dev/null
state_is "has errors" $name
