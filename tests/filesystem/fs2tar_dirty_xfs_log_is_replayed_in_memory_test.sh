#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An XFS image that was in use when it was copied: the archive shows the state
# after recovery, the image stays as it is, and standard error says so.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.xfs tar python3
need_root
need_host_filesystem xfs

make_image live 400M
mkfs.xfs -q live
host_mount live host
mkdir host/directory
seq 1000 | xargs -I{} touch host/directory/file-{}
echo recovered >host/directory/file-500
sync -f host
cp --sparse=always live image
umount host

before=$(digest image)
run 0 "$LKL_BIN/fs2tar" image actual.tar
says "journal was replayed in memory"
says_one_line
[ "$(digest image)" = "$before" ] || fail "fs2tar changed the image"
members actual.tar >list
[ "$(grep -c '^directory/file-' list)" = 1000 ] || fail "files are missing"
tar -xf actual.tar directory/file-500
[ "$(cat directory/file-500)" = recovered ] || fail "data are missing"
