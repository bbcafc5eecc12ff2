#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Who waits for the lock of lklfuse in the background, after an unmount by umount(8),
# fusermount3(1) or a signal, finds all in the image.
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"
need mkfs.ext4 flock debugfs
need_root

head -c 60000000 /dev/urandom >source

unmount_by_umount() { umount mount; }
unmount_by_fusermount() { fusermount3 -u mount; }
unmount_by_signal() { pkill -TERM -x lklfuse --ns $$ --nslist mnt; }

mkdir mount
for lock in image lock; do
    for way in umount fusermount signal; do
        rm -f image
        make_image image 400M
        mkfs.ext4 -q image
        "$LKL_BIN/lklfuse" image mount -o "lock=$lock"
        flock -n "$lock" true && fail "there is no lock"
        cp source mount/file
        unmount_by_$way
        flock -w 60 "$lock" cp --sparse=always image copy || fail "$way: the lock is not freed"
        check_clean ext4 copy
        debugfs -R "cat file" copy 2>/dev/null | cmp - source || fail "$way: the copy lacks the data"
        background_ended
    done
done
