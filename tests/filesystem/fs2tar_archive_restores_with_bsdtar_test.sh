#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What bsdtar extracts from fs2tar's archive is the tree that went in.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 tar bsdtar setfattr python3
need_root
need_host_filesystem ext4

make_image image 512M
mkfs.ext4 -q -b 4096 image
host_mount image host
# What libarchive 3.6 reads differently from all others: fractions of seconds
# before 1970, "=" and "%" in names of attributes, combining characters.
fill host --without deep --without old
setfattr -x user.equals=sign host/odd/attributes/odd-names
setfattr -x user.percent%3D host/odd/attributes/odd-names
rm host/odd/names/*-combining
touch -d @1 host
host_tar host expected.tar
umount host

run 0 "$LKL_BIN/fs2tar" -q image archive.tar
make_image restored.image 512M
mkfs.ext4 -q -b 4096 restored.image
host_mount restored.image restored
bsdtar -C restored --numeric-owner -xpf archive.tar || fail "bsdtar cannot extract the archive"
touch -d @1 restored
host_tar restored actual.tar
compare expected.tar actual.tar --ignore ctime --ignore atime
