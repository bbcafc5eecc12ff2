#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What is no disk image: exit code 2, one line, no archive.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
run 2 "$LKL_BIN/fs2tar" missing archive.tar
says "missing: cannot open the image: No such file or directory"
says_one_line
no_archive archive.tar

run 2 "$LKL_BIN/fs2tar" . archive.tar
says "is a directory"
says_one_line

: >empty
run 2 "$LKL_BIN/fs2tar" empty archive.tar
says "is empty"
says_one_line

mkfifo fifo
run 2 timeout 10 "$LKL_BIN/fs2tar" fifo archive.tar
says "neither a file nor a block device"
says_one_line

{ printf 'QFI\373'; head -c 100000 /dev/zero; } >packed
run 2 "$LKL_BIN/fs2tar" packed archive.tar
says "is a qcow2 image"
says_one_line
head -c 100000 /dev/urandom | gzip >packed
run 2 "$LKL_BIN/fs2tar" packed archive.tar
says "compressed with gzip"
says_one_line
no_archive archive.tar
