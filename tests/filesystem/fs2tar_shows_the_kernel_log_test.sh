#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# -p prints the kernel's log on standard error, nothing of it without.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4

small_image image
run 0 "$LKL_BIN/fs2tar" image archive.tar
[ ! -s stderr ] || fail "standard error is not empty"
run 0 "$LKL_BIN/fs2tar" -p image archive.tar
says "Linux version"
says "EXT4-fs (vda): mounted filesystem"
