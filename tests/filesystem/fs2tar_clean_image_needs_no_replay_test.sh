#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A clean image is read without a word about journals.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 tar

small_image image
run 0 "$LKL_BIN/fs2tar" image archive.tar
[ ! -s stderr ] || fail "standard error is not empty"
