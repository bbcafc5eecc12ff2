#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# XFS: every kind of file comes through as GNU tar reads it on the host.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.xfs tar python3
need_root
need_host_filesystem xfs

make_image image 400M
mkfs.xfs -q image
host_mount image host
fill host
umount host
compare_with_host image --
