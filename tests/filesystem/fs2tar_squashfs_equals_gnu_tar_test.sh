#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# SquashFS with each compressor that mksquashfs has.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mksquashfs mkfs.ext4 tar python3
need_root
need_host_filesystem squashfs

# It stores whole seconds from 1970 to 2106, and no ACLs.
make_image source.image 400M
mkfs.ext4 -q -b 4096 source.image
host_mount source.image source
fill source --without deep --without huge --without old

mksquashfs source image -quiet -no-progress >log 2>&1 || { cat log; fail "mksquashfs failed"; }
compare_with_host image --

# What is quick to pack is enough for each of the others.
rm -rf source/usr source/odd/sparse/many-holes source/odd/sizes/5000000 expected.tar
for compressor in gzip xz zstd lz4 lzo; do
    rm -f image
    if ! mksquashfs source image -quiet -no-progress -comp "$compressor" >log 2>&1; then
        echo "$compressor: not in mksquashfs"
        continue
    fi
    echo "$compressor"
    if host_mount image host ro 2>log; then
        umount host
        compare_with_host image --
    elif [ -e expected.tar ]; then
        # The host's kernel lacks the compressor; the files are the same.
        run 0 "$LKL_BIN/fs2tar" -q image actual.tar
        compare expected.tar actual.tar
    fi
done
