#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What GNU tar extracts from fs2tar's archive is the tree that went in.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 tar python3
need_root
need_host_filesystem ext4

make_image image 512M
mkfs.ext4 -q -b 4096 image
host_mount image host
# GNU tar names whole paths when it extracts, and reads "-0.5" as 0.5.
fill host --without deep
rm -r host/odd/times/-1 host/odd/times/-1-* host/odd/times/-5*
touch -d @1 host/odd/times
host_tar host expected.tar
umount host

run 0 "$LKL_BIN/fs2tar" -q image archive.tar
make_image restored.image 512M
mkfs.ext4 -q -b 4096 restored.image
host_mount restored.image restored
# GNU tar warns about the keyword that says that a name is not UTF-8, and about
# times of which it thinks the clock was wrong.
tar -C restored --numeric-owner --xattrs --xattrs-include='*' --acls --selinux -xpf archive.tar \
    2>log || { cat log; fail "tar cannot extract the archive"; }
if grep -v -e "keyword 'hdrcharset'" -e 'implausibly old' -e 'in the future' \
    -e 'SELinux support is not available' log; then
    fail "tar complains about the archive"
fi
host_tar restored actual.tar
compare expected.tar actual.tar --ignore ctime --ignore atime
