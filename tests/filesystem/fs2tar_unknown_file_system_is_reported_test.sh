#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An image without a file system that we know: exit code 3, one line, no archive.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkswap

head -c 4000000 /dev/urandom >image
run 3 "$LKL_BIN/fs2tar" image archive.tar
says "image: no file system found"
says_one_line

rm image
make_image image 10M
mkswap image >/dev/null 2>&1
run 3 "$LKL_BIN/fs2tar" image archive.tar
says "holds swap, which is not a file system"
says_one_line

run 3 "$LKL_BIN/fs2tar" -t nosuchfs image archive.tar
says "nosuchfs: this kernel has no such file system"
says_one_line

# A type that is not the image's.
run 3 "$LKL_BIN/fs2tar" -t ext4 image archive.tar
says "cannot mount as ext4"
says_one_line
no_archive archive.tar
