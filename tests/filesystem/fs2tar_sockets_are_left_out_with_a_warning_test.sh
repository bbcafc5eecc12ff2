#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tar has no sockets: a warning names them, the exit code is 0.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 tar python3
need_root
need_host_filesystem ext4

make_image image 8M
mkfs.ext4 -q image
host_mount image host
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("host/listen")'
touch host/file
umount host
run 0 "$LKL_BIN/fs2tar" image archive.tar
says "listen: socket: left out"
says_one_line
members archive.tar >list
grep -q listen list && fail "the socket is in the archive"
grep -qx file list || fail "the file is missing"
run 0 "$LKL_BIN/fs2tar" -q image archive.tar
[ ! -s stderr ] || fail "-q is not quiet"
