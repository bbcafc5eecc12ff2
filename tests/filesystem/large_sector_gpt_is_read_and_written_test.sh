#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The image of a disk with sectors of 4096 bytes: its GPT is found, and the kernel sees a
# disk of that kind.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need fdisk mkfs.ext4 mkfs.vfat mcopy tar e2fsck

make_image image 128M
# Sectors of 4096 bytes: 16 MiB from 1 MiB on, and 64 MiB from 32 MiB on.
printf 'g\nn\n1\n256\n+4096\nn\n2\n8192\n+16384\nw\n' | fdisk -b 4096 image >/dev/null
mkdir source
echo one >source/one
truncate -s 16M part1
mkfs.ext4 -q -b 4096 -d source part1
truncate -s 64M part2
mkfs.vfat -S 4096 part2 >/dev/null
echo fat >fat.txt
mcopy -i part2 fat.txt ::/
dd if=part1 of=image bs=4096 seek=256 conv=notrunc status=none
dd if=part2 of=image bs=4096 seek=8192 conv=notrunc status=none

before=$(digest image)
run 0 "$LKL_BIN/fs2tar" -q -P 1 image one.tar
members one.tar >list
grep -qx one list || fail "partition 1 was not read"
run 0 "$LKL_BIN/fs2tar" -q -P 2 image two.tar
members two.tar >list
grep -qx fat.txt list || fail "partition 2 was not read"
run 4 "$LKL_BIN/fs2tar" image none.tar
says "partition 1: 16.0 MiB, ext4"
says "partition 2: 64.0 MiB, vfat"
run 4 "$LKL_BIN/fs2tar" -P 3 image none.tar
says "partition 3: no such partition"
no_archive none.tar
run 0 "$LKL_BIN/lkl" info image >told
grep -q 'partition table gpt' told || fail "lkl info finds no table: $(cat told)"
[ "$(grep -c ' clean$' told)" = 2 ] || fail "lkl info mounts not both: $(cat told)"
[ "$(digest image)" = "$before" ] || fail "the image changed"

# Written to, it keeps its table and its bounds.
run 0 "$LKL_BIN/cptofs" -i image -P 1 source/one /two
dd if=image of=part1 bs=4096 skip=256 count=4096 status=none
check_clean ext4 part1
run 0 "$LKL_BIN/cpfromfs" -i image -P 1 /two back
cmp back source/one
printf 'p\n' | fdisk -b 4096 image >table
grep -q 'image1 *256 ' table || fail "the table changed: $(cat table)"
