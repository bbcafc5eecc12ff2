#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A block of file data whose checksum is wrong (Btrfs): exit code 5, one line that
# names the file and the byte, no archive that looks complete.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.btrfs tar python3

damaged_image image

run 5 "$LKL_BIN/fs2tar" image archive.tar
says "image: directory/victim: cannot read at byte "
says_one_line
no_archive archive.tar

# On standard output, what is there has no end.
run 5 "$LKL_BIN/fs2tar" image - >part.tar
[ "$(tail -c 1024 part.tar | tr -d '\0' | wc -c)" -gt 0 ] || fail "the part ends like an archive"
