#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An archive on standard output is the one that a file would hold.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 tar

small_image image
run 0 "$LKL_BIN/fs2tar" image archive.tar
run 0 "$LKL_BIN/fs2tar" image - >piped.tar
cmp archive.tar piped.tar
"$LKL_BIN/fs2tar" image - | tar -xf - directory/deeper/three.txt
[ "$(cat directory/deeper/three.txt)" = three ] || fail "the data are wrong"
