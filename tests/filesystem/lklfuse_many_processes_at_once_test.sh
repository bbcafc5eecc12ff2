#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Eight processes that do everything at once, each in a directory of its own and all in
# one more: what each has done is there, as when it is done on the host's own mount, and
# the image is clean. LKL_TEST_SECONDS: how long (5).
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"
need mkfs.ext4 python3
need_root
need_host_filesystem ext4

make_image image 600M
mkfs.ext4 -q image
cp --sparse=always image other
fuse_start image mount
python3 -B "$here/mixed_operations.py" mount "${LKL_TEST_SECONDS:-5}" counts || fail "$(tail -5 server.log)"
rm -rf mount/shared
fuse_stop mount
check_clean ext4 image

host_mount other expected
python3 -B "$here/mixed_operations.py" expected 0 counts
rmdir expected/shared
host_mount image host ro
compare_trees expected host --ignore mtime
