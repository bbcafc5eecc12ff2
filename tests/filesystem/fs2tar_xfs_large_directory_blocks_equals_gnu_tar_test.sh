#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# XFS with directory blocks of 64 KiB, which the kernel maps by vm_map_ram().
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.xfs tar python3
need_root
need_host_filesystem xfs

make_image image 400M
mkfs.xfs -q -n size=65536 image
host_mount image host
fill host --without huge
# Directories of several blocks, in leaf and in node form.
mkdir host/large
(cd host/large && seq -f 'a-name-that-is-long-enough-to-fill-blocks-%05g' 20000 | xargs touch)
umount host
compare_with_host image --
