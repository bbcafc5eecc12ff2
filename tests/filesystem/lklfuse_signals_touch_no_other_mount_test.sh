#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A signal unmounts what lklfuse has mounted and nothing else: not what was mounted on it,
# nor what took its place. The server ends in each case, and what was written is in the image.
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"
need mkfs.ext4
need_root
need_host_filesystem ext4

make_image image 64M
mkfs.ext4 -q image

# is_in_image FILE TEXT
is_in_image() {
    check_clean ext4 image
    host_mount image host ro
    [ "$(cat "host/$1")" = "$2" ] || fail "$1 is lost"
    umount host
}

# ends_by_signal CASE: the server ends within a minute, with 0.
ends_by_signal() {
    local tries
    kill -TERM "$server"
    for ((tries = 0; tries < 1200; tries++)); do
        kill -0 "$server" 2>/dev/null || break
        sleep 0.05
    done
    kill -0 "$server" 2>/dev/null && fail "$1: it does not end"
    fuse_ended
}

fuse_start image mount
echo below >mount/below
mount -t tmpfs none mount
echo precious >mount/only-copy
ends_by_signal "under a tmpfs"
[ "$(cat mount/only-copy)" = precious ] || fail "the tmpfs is gone"
grep -q "hidden by another mount" server.log || fail "it does not say that it is hidden"
umount mount
umount mount
is_in_image below below

fuse_start image mount
exec 5>mount/open
echo "not closed" >&5
umount -l mount
first=$server
make_image second 64M
mkfs.ext4 -q second
fuse_start second mount
later=$server
server=$first
ends_by_signal "after umount -l"
exec 5>&-
server=$later
echo text >mount/file || fail "the second mount is gone"
fuse_stop mount
is_in_image open "not closed"

fuse_start image mount
echo bound >mount/bound
mkdir copy
mount --bind mount copy
ends_by_signal "with a copy of the mount"
mountpoint -q mount && fail "still mounted"
grep -q "mounted elsewhere too" server.log || fail "it does not say that there is a copy"
umount copy
is_in_image bound bound
