#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A GPT disk: each partition by its number; without one, the list of them.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need sfdisk mkfs.ext4 mkfs.vfat mcopy tar

make_image image 64M
sfdisk -q image <<EOF
label: gpt
start=2048, size=32768, name="first"
start=40960, size=16384
start=65536, size=16384, name="empty"
EOF
small_image part1
truncate -s 8M part2
mkfs.vfat -n VOLUME part2 >/dev/null
echo fat >fat.txt
mcopy -i part2 fat.txt ::/
dd if=part1 of=image bs=512 seek=2048 conv=notrunc status=none
dd if=part2 of=image bs=512 seek=40960 conv=notrunc status=none

run 0 "$LKL_BIN/fs2tar" -q -P 1 image one.tar
members one.tar >list
grep -qx directory/deeper/three.txt list || fail "partition 1 was not read"
run 0 "$LKL_BIN/fs2tar" -q --partition 2 image two.tar
members two.tar >list
grep -qx fat.txt list || fail "partition 2 was not read"

run 4 "$LKL_BIN/fs2tar" image none.tar
says "partition 1: 16.0 MiB, ext4, named first"
says "partition 2: 8.00 MiB, vfat, label VOLUME"
says "partition 3: 8.00 MiB, unknown content, named empty"
says "name a partition with -P"
no_archive none.tar
