#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A partition that does not exist: exit code 4, the list, no archive.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need sfdisk mkfs.ext4

make_image image 16M
echo 'start=2048' | sfdisk -q --label gpt image
run 4 "$LKL_BIN/fs2tar" -P 7 image archive.tar
says "partition 1: "
says "partition 7: no such partition"
no_archive archive.tar

small_image plain
run 4 "$LKL_BIN/fs2tar" -P 1 plain archive.tar
says "partition 1: there is no partition table"
says_one_line
no_archive archive.tar
