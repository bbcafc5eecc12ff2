#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The kernel for embedders (tiny_defconfig) reads what it is for as the full one does.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 mkfs.xfs mkfs.vfat mksquashfs mcopy
tiny=$LKL_LIB/lkl/vmlinux-tiny
[ -e "$tiny" ] || skip "vmlinux-tiny is not built"

mkdir -p source/deep/er
head -c 3000000 /dev/urandom >source/random
echo text >source/deep/er/file
make_image ext4 16M
mkfs.ext4 -q -d source ext4
make_image vfat 16M
mkfs.vfat vfat >/dev/null
mcopy -s -i vfat source/random source/deep ::
mksquashfs source squashfs -quiet -no-progress >/dev/null
for image in ext4 vfat squashfs; do
    run 0 "$LKL_BIN/fs2tar" $image full.tar
    run 0 env LKL_KERNEL_IMAGE="$tiny" "$LKL_BIN/fs2tar" $image tiny.tar
    cmp full.tar tiny.tar || fail "$image: the archives differ"
    tar -tf tiny.tar | grep -q 'deep/er/file' || fail "$image: nothing is in the archive"
done
make_image xfs 300M
mkfs.xfs -q xfs
run 3 env LKL_KERNEL_IMAGE="$tiny" "$LKL_BIN/fs2tar" xfs none.tar
says "this kernel has no such file system"
no_archive none.tar
