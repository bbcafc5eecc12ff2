#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A kernel that an image crashes, inside of the sandbox: exit code 7 and one line, from
# each tool.
# shellcheck source=tests/hostile/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 debugfs

small_image image
# An inode of no type, which the kernel is asked to panic of.
debugfs -w -R "set_inode_field /directory/deeper mode 0170000" image 2>/dev/null
mkdir out source
seq 100 >source/deeper
tar -cf source.tar --transform 's|^|directory/|' -C source deeper

crashes() {
    run 7 "$@"
    says "the kernel crashed: "
    says_one_line
}
crashes "$LKL_BIN/fs2tar" -q -o errors=panic image archive.tar
no_archive archive.tar
crashes "$LKL_BIN/cpfromfs" -q -o errors=panic -i image /directory out
cp image written
crashes "$LKL_BIN/cptofs" -q -o errors=panic -i written source/deeper /directory
cp image written
crashes "$LKL_BIN/tar2fs" -q -o errors=panic source.tar written
