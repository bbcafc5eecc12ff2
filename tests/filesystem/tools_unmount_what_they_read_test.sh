#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A tool that has read links, FIFOs and devices keeps the file system busy with none of
# them: it is unmounted at once, as the kernel's log says, which a detached one is not.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4
need_root

mkdir source
echo x >source/file
ln -s file source/link
mkfifo source/fifo
mknod source/device c 1 3
make_image image 20M
mkfs.ext4 -q -d source image

unmounted() {
    says "EXT4-fs (vda): unmounting filesystem"
}

run 0 "$LKL_BIN/fs2tar" -p image archive.tar
unmounted
run 0 "$LKL_BIN/cpfromfs" -p -i image / copy
unmounted
run 0 "$LKL_BIN/cptofs" -p -i image source /
unmounted
