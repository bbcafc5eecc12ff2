#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An MBR disk with logical partitions, which count from 5.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need sfdisk mkfs.ext4 tar

make_image image 64M
sfdisk -q image <<EOF
label: dos
1: start=2048, size=16384, type=83
2: start=20480, size=100000, type=5
5: start=22528, size=16384, type=83
6: start=43008, size=16384, type=83
EOF
small_image part
for start in 2048 22528 43008; do
    dd if=part of=image bs=512 seek=$start conv=notrunc status=none
done
debugfs -w -R 'rm one' part 2>/dev/null
dd if=part of=image bs=512 seek=43008 conv=notrunc status=none

for number in 1 5 6; do
    run 0 "$LKL_BIN/fs2tar" -q -P $number image $number.tar
    members $number.tar >list
    grep -qx directory/two list || fail "partition $number was not read"
done
grep -qx one list && fail "partition 6 is not partition 6"

run 4 "$LKL_BIN/fs2tar" image none.tar
says "partition 5: 8.00 MiB, ext4"
