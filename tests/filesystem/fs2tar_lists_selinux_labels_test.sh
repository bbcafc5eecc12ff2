#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# -s writes a line with path and label for each file that has one, links too.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 tar setfattr
need_root
need_host_filesystem ext4

make_image image 16M
mkfs.ext4 -q image
host_mount image host
mkdir host/etc
echo 1 >host/etc/passwd
echo 2 >host/etc/none
ln host/etc/passwd host/etc/again
ln -s passwd host/etc/symlink
echo 3 >$'host/new\nline'
label=system_u:object_r:etc_t:s0
setfattr -n security.selinux -v "$label" host/etc
setfattr -n security.selinux -v "$label" host/etc/passwd
setfattr -h -n security.selinux -v "$label" host/etc/symlink
setfattr -n security.selinux -v "$label" $'host/new\nline'
umount host

run 0 "$LKL_BIN/fs2tar" -s labels image archive.tar
{
    echo "etc/ $label"
    echo "etc/again $label"
    echo "etc/passwd $label"
    echo "etc/symlink $label"
    printf 'new\\012line %s\n' "$label"
} | sort >expected
sort labels | diff expected - || fail "the list is wrong"

run 6 "$LKL_BIN/fs2tar" -s /dev/full image archive2.tar
says "/dev/full: cannot write the labels"
no_archive archive2.tar

# The list is written as carefully as the archive: never over the image, by whatever name,
# and whole or not at all.
sum=$(cksum <image)
ln image hard
ln -s image soft
for name in image hard soft ./image; do
    run 1 "$LKL_BIN/fs2tar" -s $name image archive2.tar
    says "$name: is the image itself"
    no_archive archive2.tar
done
[ "$(cksum <image)" = "$sum" ] || fail "the image has changed"
run 1 "$LKL_BIN/fs2tar" -s ./archive2.tar image archive2.tar
says "is the archive itself"
no_archive archive2.tar
head -c 1000000 /dev/zero >none
run 3 "$LKL_BIN/fs2tar" -s labels none archive2.tar
sort labels | diff expected - || fail "a failure takes the old list"
[ -z "$(compgen -G '.fs2tar-*')" ] || fail "temporary files are left"
run 0 "$LKL_BIN/fs2tar" -s - image archive2.tar >list
sort list | diff expected - || fail "the list on standard output is wrong"
run 1 "$LKL_BIN/fs2tar" -s - image -
says_one_line
