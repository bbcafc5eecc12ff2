#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# XFS and Btrfs: every odd file is there as the host's kernel sees it.
# shellcheck source=tests/filesystem/lkl_mkimage.sh
. "$(dirname "$0")/lkl_mkimage.sh"
need mkfs.xfs mkfs.btrfs xfs_repair btrfs setfattr python3
need_root
need_host_filesystem xfs
need_host_filesystem btrfs

fill_odd source
run 0 mkimage -q --fs xfs --uuid 11111111-2222-3333-4444-555555555555 source image
check_made xfs image
[ "$(blkid -p -o value -s UUID image)" = 11111111-2222-3333-4444-555555555555 ] || fail "the UUID"
# XFS shows ACLs a second time, as attributes of its own.
image_equals image source --ignore attributes:trusted.SGI_

# Mount options are for the kernel that fills it.
run 0 mkimage -q --fs btrfs -o compress-force=zstd source image
check_made btrfs image
image_equals image source
[ "$(btrfs inspect-internal dump-tree image | grep -c 'extent compression 3')" -gt 0 ] ||
    fail "nothing is compressed"
