#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# EROFS, plain and with each compressor that mkfs.erofs has, at a level that packs quickly: all are
# unpacked alike.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.erofs mkfs.ext4 tar python3
need_root
need_host_filesystem erofs

make_image source.image 400M
mkfs.ext4 -q -b 4096 source.image
host_mount source.image source
# mkfs.erofs 1.5 cannot take names of 255 bytes.
fill source --without deep --without huge --without longest-names

for compressor in none lz4 lz4hc,3 lzma,1; do
    rm -f image
    options=(-z"$compressor")
    [ "$compressor" != none ] || options=()
    if ! mkfs.erofs --quiet "${options[@]}" image source >log 2>&1; then
        echo "$compressor: not in mkfs.erofs: $(head -1 log)"
        continue
    fi
    echo "$compressor"
    if host_mount image host ro 2>log && tar -C host -cf - . >/dev/null 2>log; then
        umount host
        # EROFS packs zeros but has no holes; GNU tar guesses at some.
        compare_options=(--ignore sparse)
        compare_with_host image --
    elif [ -e expected.tar ]; then
        # The host's kernel lacks the compressor; the files are the same.
        umount host 2>/dev/null || true
        run 0 "$LKL_BIN/fs2tar" -q image actual.tar
        compare expected.tar actual.tar
    fi
done
[ -e expected.tar ] || skip "the host's kernel cannot mount what mkfs.erofs makes"
