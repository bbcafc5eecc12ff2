#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# -t with a file system that is on no disk (proc, tmpfs) would show anything but the image,
# or take what is written with it to its grave: exit code 1.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4

small_image image
before=$(digest image)
mkdir point
for type in proc sysfs tmpfs ramfs; do
    for command in "fs2tar -t $type image archive.tar" "cpfromfs -t $type -i image /version ." \
        "cptofs -t $type -i image image /new" "tar2fs -t $type empty.tar image" \
        "lkl -t $type ls image" "lklfuse -o type=$type image point"; do
        [ "${command%% *}" != lklfuse ] || [ "$(id -u)" = 0 ] || continue
        tar -cf empty.tar -T /dev/null
        # shellcheck disable=SC2086 # words
        run 1 "$LKL_BIN"/$command
        says "$type: is no file system of a disk"
        says_one_line
    done
done
no_archive archive.tar
[ ! -e version ] || fail "a file of proc was copied"
[ "$(digest image)" = "$before" ] || fail "the image changed"
run 0 "$LKL_BIN/fs2tar" -t ext4 image archive.tar
