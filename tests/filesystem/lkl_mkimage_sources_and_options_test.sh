#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Archives, plain and compressed, from a file and a pipe; and the options of copies.
# shellcheck source=tests/filesystem/lkl_mkimage.sh
. "$(dirname "$0")/lkl_mkimage.sh"
need mkfs.ext4 mksquashfs mkfs.erofs tar setfattr setfacl getfacl python3
need_root
need_host_filesystem ext4
need_host_filesystem squashfs

fill_odd odd --without old --without huge
# GNU tar stores each name of a FIFO as one of its own.
rm odd/odd/special/socket odd/odd/links/fifo-again
host_tar odd all.tar
gzip -k all.tar
run 0 mkimage -q all.tar image
image_equals image odd
run 0 mkimage -q - image <all.tar.gz
image_equals image odd
run 0 mkimage -q - image < <(cat all.tar)
image_equals image odd
run 0 mkimage -q --size 80M - image < <(cat all.tar)
image_equals image odd
run 0 mkimage -q --fs squashfs - image < <(cat all.tar)
image_equals image odd --ignore stored --ignore mtime --ignore attributes
head -c 100000 all.tar >cut.tar
rm image
run 10 mkimage -q cut.tar image
nothing_left image
head -c 100000 /dev/urandom >noise
run 11 mkimage noise image
says_one_line
nothing_left image

# The image may be in its source, which it is not part of while it is made.
for type in ext4 vfat squashfs erofs; do
    rm -rf self
    mkdir self
    echo one >self/file
    run 0 mkimage -q --fs $type self self/image
    mv self/image image
    (cd self && exec "$LKL_BIN/lkl" mkimage -q --fs $type . image) || fail "$type: ."
    mv self/image whole
    run 0 mkimage -q --gpt --partition "fs=$type,source=self" self/image
    for image in image whole self/image@1; do
        run 0 "$LKL_BIN/lkl" find $image:/ -type f >names
        [ "$(cat names)" = /file ] || fail "$type: in the image are $(cat names)"
    done
done
rm -r self

mkdir -p source/directory
echo one >source/directory/file
echo two >source/program
chown 1000:1001 source/directory/file
chmod 640 source/directory/file
setfattr -n user.note -v text source/program
setfacl -m u:1000:r source/directory/file
is() {
    [ "$(stat -c '%u:%g %a' "seen/$1")" = "$2" ] ||
        fail "$1 is $(stat -c '%u:%g %a' "seen/$1") instead of $2"
}
for type in ext4 squashfs; do
    run 0 mkimage -q --fs $type --owner 7:8 --chmod u=rwX,go=rX --no-xattrs source image
    host_mount image seen ro
    is directory/file "7:8 644"
    [ -z "$(getfattr -d seen/program)" ] || fail "an attribute is there"
    umount seen
    run 0 mkimage -q --fs $type --map-users 1000:0:2 -x program source image
    host_mount image seen ro
    is directory/file "0:1 640"
    [ ! -e seen/program ] || fail "-x has no effect"
    umount seen
done
if grep -qw erofs /proc/filesystems || modprobe -q erofs; then
    run 0 mkimage -q --fs erofs --owner 7:8 --no-xattrs source image
    host_mount image seen ro
    is directory/file "7:8 640"
    [ -z "$(getfattr -d seen/program)" ] || fail "an attribute is there"
    umount seen
fi
run 1 mkimage --fs erofs -x program source image2
says "mkfs.erofs knows no"
run 1 mkimage --fs erofs all.tar image2
says "packs directories alone"
nothing_left image2
