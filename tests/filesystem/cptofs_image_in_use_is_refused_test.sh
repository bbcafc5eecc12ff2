#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An image that another program has locked is neither read nor written; two of ours may
# read at the same time. One that the host has on a loop device is refused for writing.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 python3

mkdir source
echo one >source/one
make_image image 8M
mkfs.ext4 -q image
echo | tar -cf archive.tar source

# held KIND COMMAND...: runs the command while somebody has the lock.
held() {
    python3 - "$@" <<'PY'
import fcntl, os, struct, subprocess, sys
kind, command = sys.argv[1], sys.argv[2:]
file = os.open("image", os.O_RDWR)
lock = struct.pack("hhqqi4x", fcntl.F_WRLCK if kind == "write" else fcntl.F_RDLCK, 0, 0, 0, 0)
fcntl.fcntl(file, 37, lock)  # F_OFD_SETLK
sys.exit(subprocess.call(command))
PY
}

before=$(digest image)
for kind in write read; do
    run 2 held $kind "$LKL_BIN/cptofs" -i image source/one /
    says "image: the image is in use by a $([ $kind = write ] && echo writer || echo reader)"
    says_one_line
    run 2 held $kind "$LKL_BIN/tar2fs" archive.tar image
    says "the image is in use"
done
run 2 held write "$LKL_BIN/cpfromfs" -i image / "$PWD/out"
says "the image is in use"
mkdir out
run 0 held read "$LKL_BIN/cpfromfs" -i image / "$PWD/out"
[ "$(digest image)" = "$before" ] || fail "the image was changed"

[ "$(id -u)" = 0 ] || exit 0
need_host_filesystem ext4
host_mount image host
run 2 "$LKL_BIN/cptofs" -i image source/one /
says "is attached to /dev/loop"
says_one_line
umount host
run 0 "$LKL_BIN/cptofs" -i image source/one /
