#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# No room for the archive: exit code 6, one line, and nothing is left on the disk.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4
need_root

mkdir source
head -c 3000000 /dev/urandom >source/file
make_image image 16M
mkfs.ext4 -q -d source image
mkdir full
mount -t tmpfs -o size=1m none full
for suffix in '' .zst .gz .xz; do
    run 6 "$LKL_BIN/fs2tar" image full/archive.tar$suffix
    says "full/archive.tar$suffix: cannot write the archive: No space left on device"
    says_one_line
    no_archive full/archive.tar$suffix
done
run 6 "$LKL_BIN/fs2tar" image - >/dev/full
says "standard output: cannot write the archive: No space left on device"
says_one_line
# A limit of file sizes is an error like others, not a signal. The kernel's memory is a file.
(
    ulimit -f 100
    run 7 "$LKL_BIN/fs2tar" image archive.tar
    says "cannot start the kernel: the limit for files (ulimit -f)"
    says_one_line
    no_archive archive.tar
)
