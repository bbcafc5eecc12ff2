#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# "-" as the destination: the archive of "/." is the one that fs2tar makes.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 tar python3
need_root
need_host_filesystem ext4

make_image image 400M
mkfs.ext4 -q -b 4096 image
host_mount image host
fill_odd host
umount host
run 0 "$LKL_BIN/fs2tar" -q image expected.tar
run 0 "$LKL_BIN/cpfromfs" -q -i image / - >actual.tar
cmp expected.tar actual.tar || fail "the archives differ"
run 0 "$LKL_BIN/cpfromfs" -q -i image /odd/links '/odd/sizes/5*' - >part.tar
members part.tar >list
for member in links/other/third 511 5000000; do
    grep -qx $member list || fail "$(cat list)"
done
grep -q modes list && fail "more than asked for"
run 1 "$LKL_BIN/cpfromfs" -q -i image nothing
run 6 "$LKL_BIN/cpfromfs" -q -i image / - >/dev/full
says "standard output: cannot write the archive"
