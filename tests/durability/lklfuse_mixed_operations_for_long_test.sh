#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# ctest: TIMEOUT=7200 CASES
# Eight processes do everything at once in a mount, and four more change data in every way:
# all that they wrote is there, also when it is mounted again, the server's memory and
# descriptors stay flat, and the real checker finds nothing wrong.
# LKL_SOAK_SECONDS: how long (2).
if [ "${1:-}" = --list ]; then
    printf '%s\n' ext4 xfs btrfs
    exit
fi
type=$2
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/../filesystem/lklfuse.sh"
need "mkfs.$type" python3
need_root
seconds=${LKL_SOAK_SECONDS:-2}
# How much more memory is no growth: in seconds, caches do not get full.
growth=$((seconds < 60 ? 64 * 1024 : 8 * 1024))

# KiB that are resident, and descriptors that are open.
use() {
    awk '/^VmRSS/ { print $2 }' "/proc/$server/status"
    find "/proc/$server/fd" | wc -l
}

mkdir memory
mount -t tmpfs tmpfs memory
cd memory
make_image image 1G
"mkfs.$type" -q image >/dev/null
fuse_start image mount
python3 -B "$here/mixed_operations.py" mount "$seconds" counts >operations &
operations=$!
python3 -B "$here/data_operations.py" mount "$seconds" digests >data &
data=$!
sleep $((seconds / 3 + 1))
mapfile -t early < <(use)
wait $operations || fail "$(tail -1 operations)"
wait $data || fail "$(tail -1 data)"
mapfile -t late < <(use)
echo "$(cat operations data); ${early[0]}, then ${late[0]} KiB; ${early[1]}, then ${late[1]} descriptors"
if [ -z "$LKL_SANITIZE" ]; then
    [ "${late[0]}" -le $((early[0] + growth)) ] || fail "memory grows"
    [ "${late[0]}" -le $((200 * 1024)) ] || fail "${late[0]} KiB are resident"
fi
[ "${late[1]}" -le $((early[1] + 8)) ] || fail "descriptors are left open"
fuse_stop mount
check_clean "$type" image
fuse_start image mount -o ro
python3 -B "$here/data_operations.py" mount 0 digests || fail "mounted again"
fuse_stop mount
