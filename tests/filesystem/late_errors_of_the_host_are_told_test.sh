#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A file system of the host that takes data and finds no room for them later, as FUSE and NFS
# do, tells at a close, or as the error of the call that comes next: a tool says so by its exit
# code, and a file whose data are lost does not take the place of one that is complete.
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"
need mkfs.ext4 setpriv
need_root
need_host_filesystem ext4

chmod 755 .
mkdir whole
head -c 6291456 /dev/urandom >whole/large
chown 5:1000 whole/large
echo small >whole/small
chown 1000:1000 whole/small
make_image image 32M
mkfs.ext4 -q -d whole image
make_image disk 4M
mkfs.ext4 -q -O ^has_journal disk
fuse_start disk mount -o allow_other
mkdir mount/user
chown 1000:1000 mount/user

# is_old FILE: it is as it was, and nothing else is in its directory.
is_old() {
    [ "$(cat "$1")" = old ] || fail "$1 was replaced by $(stat -c %s "$1") bytes"
    [ "$(ls -A "$(dirname "$1")")" = "$(basename "$1")" ] || fail "$(ls -A "$(dirname "$1")")"
    rm "$1"
}

user=(setpriv --reuid 1000 --regid 1000 --clear-groups)
for as in '' "${user[*]}"; do
    for copy in "cpfromfs -i image /large" "lkl cp image:/large"; do
        # shellcheck disable=SC2086  # words
        run 10 $as "$LKL_BIN"/$copy mount/user
        says "large: cannot write back: No space left on device"
        [ -z "$(ls -A mount/user)" ] || fail "$(ls -A mount/user) is left"
        echo old >mount/user/large
        chown 1000:1000 mount/user/large
        # shellcheck disable=SC2086  # words
        run 10 $as "$LKL_BIN"/$copy mount/user
        is_old mount/user/large
        # Where there is room all is well.
        # shellcheck disable=SC2086  # words
        run 0 $as "$LKL_BIN"/${copy/large/small} mount/user
        cmp whole/small mount/user/small
        rm mount/user/small
    done
done

# Standard output is closed by nobody else before the exit code is known.
for print in "cpfromfs -q -i image / -" "fs2tar -q image -" "fs2tar -q image /dev/fd/1" \
    "lkl cat image:/large"; do
    # shellcheck disable=SC2086  # words
    run 6 "$LKL_BIN"/$print >mount/out
    # At the end, or by a write if the host has been quick.
    says "standard output: cannot write"
    says "No space left on device"
    says_one_line
    rm mount/out
done
run 6 "$LKL_BIN/fs2tar" -q image /dev/fd/3 3>mount/out
says "No space left on device"
rm mount/out
run 0 "$LKL_BIN/lkl" cat image:/small >mount/out
[ "$(cat mount/out)" = small ] || fail "what has room is not there"
# Of a list that has its name, the archive is complete.
run 6 "$LKL_BIN/fs2tar" -q -s labels image - >mount/out
[ ! -e labels ] || fail "the list of labels of no archive"
rm mount/out
run 6 "$LKL_BIN/fs2tar" --help >/dev/full
says "standard output: cannot write: No space left on device"
run 0 "$LKL_BIN/lkl" cp image:/small copy >&-
fuse_stop mount
