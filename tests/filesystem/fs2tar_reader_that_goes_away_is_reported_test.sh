#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A pipe whose reader ends early: exit code 6 and a line, not a silent death.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4

mkdir source
head -c 30000000 /dev/urandom >source/file
make_image image 64M
mkfs.ext4 -q -d source image
mkfifo pipe
head -c 1000 pipe >/dev/null &
run 6 "$LKL_BIN/fs2tar" image - >pipe
says "standard output: cannot write the archive: Broken pipe"
says_one_line
