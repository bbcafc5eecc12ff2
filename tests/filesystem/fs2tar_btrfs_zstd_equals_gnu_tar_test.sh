#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Btrfs with zstd compression, subvolumes and snapshots.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.btrfs btrfs tar python3
need_root
need_host_filesystem btrfs

make_image image 1G
mkfs.btrfs -q image >/dev/null
host_mount image host compress-force=zstd
btrfs -q subvolume create host/volume
fill host/volume
# The same inode numbers again, in other subvolumes.
btrfs -q subvolume create host/volume/nested-1
btrfs -q subvolume create host/volume/nested-2
echo inside >host/volume/nested-1/file
btrfs -q subvolume snapshot host/volume host/snapshot
seq 3000000 >host/compressible
umount host
# In the snapshot an empty directory stands for each nested subvolume, with the
# time of the look as its own.
tar() { command tar --exclude './snapshot/nested-?' "$@"; }
compare_with_host image -- -x './snapshot/nested-?'
unset -f tar

run 0 "$LKL_BIN/fs2tar" -q --subdir snapshot image snapshot.tar
members snapshot.tar >list
for number in 1 2; do
    grep -qx "nested-$number/" list || fail "nested-$number is missing"
done
