#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fstrim(8) on the mount gives what was removed back to the host: the image has holes
# there.
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"
need mkfs.ext4 fstrim
need_root

make_image image 128M
mkfs.ext4 -q image
fuse_start image mount
head -c 50000000 /dev/urandom >mount/large
sync mount/large
[ "$(du -m image | cut -f1)" -ge 47 ] || fail "the data are not in the image"
rm mount/large
# Blocks are free for good when the journal is written; and the server is told of the last
# close of a removed file when that suits the host.
for _ in $(seq 100); do
    echo small >mount/small
    sync mount/small
    fstrim mount || fail "fstrim fails"
    [ "$(du -m image | cut -f1)" -gt 20 ] || break
    sleep 0.1
done
[ "$(du -m image | cut -f1)" -le 20 ] || fail "the image still has $(du -m image)"
fuse_stop mount
check_clean ext4 image
