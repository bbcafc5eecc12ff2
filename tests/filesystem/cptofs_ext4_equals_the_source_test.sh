#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# ext4: every kind of file comes through, as the host's own mount shows it; the
# image is clean.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 e2fsck python3
need_root
need_host_filesystem ext4

fill source
make_image image 600M
mkfs.ext4 -q -b 4096 image >/dev/null
run 0 "$LKL_BIN/cptofs" -i image source/. /
says "special/socket: socket: left out"
says_one_line
e2fsck -fn image >/dev/null || fail "the image is not clean"
image_equals image source
