#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A partition table that libblkid does not know, Amiga's: without a type that is said, with
# one the kernel finds the partition.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need parted mkfs.ext4 blkid tar

make_image image 32M
parted -s -a none image mklabel amiga >/dev/null 2>&1
parted -s -a none image mkpart ext2 4MiB 20MiB >/dev/null 2>&1
[ -z "$(blkid -p -o value -s PTTYPE image)" ] || skip "this libblkid knows the table"
small_image plain
dd if=plain of=image bs=1M seek=4 conv=notrunc status=none

hint="partition 1: no partition table that is known without the kernel; with"
mkdir point
for command in "fs2tar -P 1 image out.tar" "cpfromfs -P 1 -i image /one ." \
    "cptofs -P 1 -i image image /new" "tar2fs -P 1 plain image" \
    "lkl ls image@1" "lklfuse -o part=1 image point"; do
    # shellcheck disable=SC2086 # words
    run 4 "$LKL_BIN"/$command
    case $command in
    lklfuse*) says "$hint -o type=TYPE the kernel looks" ;;
    *) says "$hint -t the kernel looks" ;;
    esac
    says_one_line
done
no_archive out.tar

run 0 "$LKL_BIN/fs2tar" -q plain expected.tar
run 0 "$LKL_BIN/fs2tar" -q -t ext4 -P 1 image actual.tar
compare expected.tar actual.tar
run 0 "$LKL_BIN/lkl" -t ext4 ls image@1:/one
run 4 "$LKL_BIN/fs2tar" -t ext4 -P 2 image out.tar
says_one_line
no_archive out.tar
