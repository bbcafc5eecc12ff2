#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An image that ends before its partition does: exit code 4 instead of damage.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need sfdisk

make_image image 64M
echo 'start=2048, size=32768
start=65536, size=32768' | sfdisk -q --label dos image
truncate -s 20M image
run 4 "$LKL_BIN/fs2tar" -P 2 image archive.tar
says "beyond the end of the image"
says_one_line
no_archive archive.tar
