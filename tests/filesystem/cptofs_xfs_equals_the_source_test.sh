#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# XFS: every kind of file comes through, as the host's own mount shows it; the
# image is clean.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.xfs xfs_repair python3
need_root
need_host_filesystem xfs

fill_odd source
make_image image 600M
mkfs.xfs -q image >/dev/null
run 0 "$LKL_BIN/cptofs" -i image source/. /
says "special/socket: socket: left out"
says_one_line
xfs_repair -n image >log 2>&1 || fail "the image is not clean"
# XFS shows ACLs a second time, as attributes of its own.
image_equals image source --ignore attributes:trusted.SGI_
