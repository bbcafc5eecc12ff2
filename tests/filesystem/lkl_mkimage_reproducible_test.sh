#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# With SOURCE_DATE_EPOCH the same bytes come out: seconds later, from files that were made
# in another order, and of an archive twice; and they are right.
# shellcheck source=tests/filesystem/lkl_mkimage.sh
. "$(dirname "$0")/lkl_mkimage.sh"
need mkfs.ext4 e2fsck mksquashfs mkfs.erofs setfattr tar python3
need_root
need_host_filesystem ext4

fill_odd first --without deep --without huge --without longest-names
# The last ones first, so that inode numbers and times of change differ.
mkdir -p second/odd
for name in $(cd first/odd && printf '%s\n' * | sort -r); do
    cp -a "first/odd/$name" second/odd
done
touch -r first/odd second/odd
touch -r first second
host_tar first all.tar
export SOURCE_DATE_EPOCH=1700000000
for type in ext4 squashfs erofs; do
    run 0 mkimage -q --fs "$type" first "first.$type"
    cat first/odd/sizes/* >/dev/null # changes times of access
    sleep 1.1
    run 0 mkimage -q --fs "$type" second "second.$type"
    cmp "first.$type" "second.$type" || fail "$type: two builds differ"
    check_made "$type" "first.$type"
done
# Later files have the time that was given, others their own.
touch -d '2020-01-02 03:04:05 UTC' first/odd/many/file-00001
touch -d '2030-01-02 03:04:05 UTC' first/odd/many/file-00002
run 0 mkimage -q first image
host_mount image seen ro
[ "$(stat -c %Y seen/odd/many/file-00001)" = 1577934245 ] || fail "an early time"
[ "$(stat -c '%Y %X %Z' seen/odd/many/file-00002)" = "1700000000 1700000000 1700000000" ] ||
    fail "a late time: $(stat -c '%Y %X %Z' seen/odd/many/file-00002)"
compare_trees first seen --ignore mtime
# The host's kernel can go on with it.
umount seen
host_mount image seen
echo new >seen/odd/many/new-file
rm -r seen/odd/names
umount seen
check_clean ext4 image

# Of an archive, and in a partition; another time or label makes another image.
for number in 1 2; do
    run 0 mkimage -q --gpt --partition fs=ext4,source=all.tar --partition fs=swap,size=1M \
        "disk$number"
    sleep 1.1
done
cmp disk1 disk2 || fail "two builds of an archive differ"
SOURCE_DATE_EPOCH=1700000001 run 0 mkimage -q --gpt --partition fs=ext4,source=all.tar \
    --partition fs=swap,size=1M disk2
cmp -s disk1 disk2 && fail "another time changes nothing"
mkdir small
run 0 mkimage --fs xfs small image
says "xfs is made with the times of now"
SOURCE_DATE_EPOCH=x run 1 mkimage small image
says "is no number of seconds"
