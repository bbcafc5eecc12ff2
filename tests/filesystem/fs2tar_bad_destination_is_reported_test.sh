#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Where no archive can be: exit code 6 or 1, one line.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4

small_image image
run 6 "$LKL_BIN/fs2tar" image nowhere/archive.tar
says "nowhere/archive.tar: cannot create the archive: No such file or directory"
says_one_line

mkdir directory
run 6 "$LKL_BIN/fs2tar" image directory
says "directory: "
says_one_line

before=$(digest image)
ln image other-name
run 1 "$LKL_BIN/fs2tar" image other-name
says "is the image itself"
says_one_line
[ "$(digest image)" = "$before" ] || fail "the image changed"

# What is no file is written to, and stays what it is.
mkfifo fifo
tar -tf fifo >list &
run 0 "$LKL_BIN/fs2tar" image fifo
wait $!
[ -p fifo ] || fail "the FIFO was replaced"
grep -qx one list || fail "the reader of the FIFO got nothing"
