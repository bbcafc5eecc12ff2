#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An ext4 image that was in use when it was copied: the archive shows the state
# after recovery, the image stays as it is, and standard error says so.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 tar python3
need_root
need_host_filesystem ext4

make_image live 64M
mkfs.ext4 -q live
host_mount live host
mkdir host/directory
seq 1000 | xargs -I{} touch host/directory/file-{}
echo recovered >host/directory/file-500
# The journal has all this, the file system's own blocks mostly not yet.
sync -f host
cp live image
umount host

dumpe2fs -h image 2>/dev/null | grep -q needs_recovery || fail "the journal is not dirty"
before=$(digest image)
run 0 "$LKL_BIN/fs2tar" image actual.tar
says "journal was replayed in memory"
says_one_line
[ "$(digest image)" = "$before" ] || fail "fs2tar changed the image"
members actual.tar >list
[ "$(grep -c '^directory/file-' list)" = 1000 ] || fail "files are missing"
tar -xf actual.tar directory/file-500
[ "$(cat directory/file-500)" = recovered ] || fail "data are missing"

# The host recovers its own copy to the same.
host_mount image host
umount host
host_mount image host ro
host_tar host expected.tar
compare expected.tar actual.tar --ignore sparse
