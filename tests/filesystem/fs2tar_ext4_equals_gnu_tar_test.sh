#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# ext4: every kind of file comes through as GNU tar reads it on the host.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 tar python3
need_root
need_host_filesystem ext4

make_image image 400M
mkfs.ext4 -q -b 4096 image
host_mount image host
fill host
umount host
compare_with_host image --
