#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# ctest: TIMEOUT=7200
# Eight processes do everything at once in a mount, and four more change data in every way:
# all that they wrote is there, also when it is mounted again, the server's memory and
# descriptors stay flat, and the real checker finds nothing wrong.
# LKL_SOAK_SECONDS: how long, all file systems together (6).
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/../filesystem/lklfuse.sh"
need mkfs.ext4 mkfs.xfs mkfs.btrfs python3
need_root
types=(ext4 xfs btrfs)
seconds=$((${LKL_SOAK_SECONDS:-6} / ${#types[@]}))

# KiB that are resident, and descriptors that are open.
use() {
    awk '/^VmRSS/ { print $2 }' "/proc/$server/status"
    find "/proc/$server/fd" | wc -l
}

mkdir memory
mount -t tmpfs tmpfs memory
cd memory
for type in "${types[@]}"; do
    make_image image 1G
    "mkfs.$type" -q image >/dev/null
    fuse_start image mount
    python3 -B "$here/mixed_operations.py" mount "$seconds" counts >operations &
    operations=$!
    python3 -B "$here/data_operations.py" mount "$seconds" digests >data &
    data=$!
    # By then, caches are full.
    sleep $((seconds / 3 + 1))
    mapfile -t early < <(use)
    wait $operations || fail "$type: $(tail -1 operations)"
    wait $data || fail "$type: $(tail -1 data)"
    mapfile -t late < <(use)
    echo "$type: $(cat operations data); ${early[0]}, then ${late[0]} KiB; ${early[1]}, then ${late[1]} descriptors"
    if [ -z "$LKL_SANITIZE" ]; then
        [ "${late[0]}" -le $((early[0] + 64 * 1024)) ] || fail "$type: memory grows"
        [ "${late[0]}" -le $((200 * 1024)) ] || fail "$type: ${late[0]} KiB are resident"
    fi
    [ "${late[1]}" -le $((early[1] + 8)) ] || fail "$type: descriptors are left open"
    fuse_stop mount
    check_clean "$type" image
    fuse_start image mount -o ro
    python3 -B "$here/data_operations.py" mount 0 digests || fail "$type: mounted again"
    fuse_stop mount
    rm image
done
