#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An ext4 image with a root directory that is gone: exit code 5, one line, no
# archive.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 debugfs

small_image image
debugfs -w -R 'clri <2>' image 2>/dev/null
run 5 "$LKL_BIN/fs2tar" image archive.tar
says "cannot mount as ext4"
says_one_line
no_archive archive.tar
