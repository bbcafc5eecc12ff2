#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# ext4, ext3 and ext2, of a size that is found: every odd file is there as the host's
# kernel sees it, and e2fsck finds nothing.
# shellcheck source=tests/filesystem/lkl_mkimage.sh
. "$(dirname "$0")/lkl_mkimage.sh"
need mkfs.ext4 e2fsck setfattr python3
need_root
need_host_filesystem ext4

fill_odd source
for type in ext4 ext3 ext2; do
    run 0 mkimage --fs "$type" --label "volume $type" source image
    [ ! -s stderr ] || fail "something was told"
    check_made "$type" image
    [ "$(blkid -p -o value -s TYPE image)" = "$type" ] || fail "it is no $type"
    [ "$(blkid -p -o value -s LABEL image)" = "volume $type" ] || fail "the label is missing"
    image_equals image source
done
