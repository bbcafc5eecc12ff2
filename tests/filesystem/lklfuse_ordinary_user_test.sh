#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An ordinary user who owns an image mounts it through fusermount3, in the background,
# and unmounts it the same way, or by a signal; the files are his as the image says.
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"
need mkfs.ext4 mkfs.vfat setpriv
need_root
need_host_filesystem ext4

public_fuse_device

as_user() {
    setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}
chmod 755 .
mkdir mount home
make_image image 64M
mkfs.ext4 -q -E root_owner=65534:65534 image
chown 65534:65534 mount home image
as_user "$LKL_BIN/lklfuse" image mount -o log=home/log || fail "the mount fails"
as_user bash -c 'echo mine >mount/file; mkdir mount/dir; cp -r /usr/share/zoneinfo mount/dir/'
[ "$(as_user stat -c %u mount/file)" = 65534 ] || fail "the owner"
stat mount 2>/dev/null && fail "root may look into it without allow_root"
as_user touch mount/lost+found/x 2>/dev/null && fail "root's directory is open"
as_user fusermount3 -u mount
background_ended
check_clean ext4 image
host_mount image host ro
diff -r /usr/share/zoneinfo host/dir/zoneinfo || fail "the files differ"
[ "$(stat -c %u:%g host/file)" = 65534:65534 ] || fail "the owner in the image"
umount host
grep -q "EXT4-fs.*mounted" home/log || fail "there is no log"

as_user "$LKL_BIN/lklfuse" image mount
as_user cp /usr/share/zoneinfo/UTC mount/signalled
pkill -TERM -u 65534 -x lklfuse --ns $$ --nslist mnt
background_ended
mountpoint -q mount && fail "still mounted"
host_mount image host ro
cmp /usr/share/zoneinfo/UTC host/signalled || fail "data lost by the signal"
umount host

# Without owners in the file system, all belongs to who mounts.
make_image fat 64M
mkfs.vfat fat >/dev/null
chown 65534:65534 fat
as_user "$LKL_BIN/lklfuse" fat mount
as_user bash -c 'echo fat >mount/file' || fail "the user cannot write"
as_user fusermount3 -u mount
background_ended
chmod 600 fat
chown 0:0 fat
run 2 as_user "$LKL_BIN/lklfuse" fat mount
says_one_line
